/** The frame of a view that shows one job: its title, where it stands, why it failed, and its wire. */

import { useState } from 'preact/hooks';

import { html } from '../html.js';
import { useStickyEnd } from '../sticky-end.js';
import { isOver, useEndNoted } from '../watched-job.js';
import { useWatching } from '../watching.js';
import { JobBar } from './job-bar.js';
import { JobFailure } from './job-failure.js';
import { Progress } from './progress.js';
import { Unreadable } from './unreadable.js';
import { Wire } from './wire.js';

/**
 * @param {{client: import('../watching.js').PageClient, id: string, home: string, title: string,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>, what: string, kept: string,
 *   spoken: (snapshot: import('../client.js').Snapshot | null) => string,
 *   children: (snapshot: import('../client.js').Snapshot) => any}} props
 *   `what` and `kept` as in `Unreadable`; `spoken` is what a screen reader is told; `children` shows the job itself
 */
export function WatchedJob({ client, recents, home, id, title, what, kept, spoken, children: show }) {
  const [wireOpen, setWireOpen] = useState(false);
  const watching = useWatching(client, id);
  const { snapshot, error } = watching;
  useEndNoted(recents, snapshot);
  useStickyEnd(!isOver(snapshot));
  if (error) {
    return html`
      <${Unreadable} error=${error} what=${what} kept=${kept} home=${home} forget=${() => recents.forget(id)} />
    `;
  }
  return html`
    <section class="conversation">
      <h1 class="question">${title}</h1>
      <${JobBar} watching=${watching} wireOpen=${wireOpen} toggleWire=${() => setWireOpen(!wireOpen)}
        cancel=${() => client.cancel(id)} />
      ${snapshot && !isOver(snapshot) && html`<${Progress} progress=${snapshot.progress} began=${watching.began} />`}
      ${snapshot?.state === 'failed' && html`<${JobFailure} error=${snapshot.error} what=${what} />`}
      ${snapshot && show(snapshot)}
      <p class="unseen" role="status">${spoken(snapshot)}</p>
    </section>
    ${wireOpen && html`
      <div class="dock">
        <${Wire} watching=${watching} close=${() => setWireOpen(false)} />
      </div>
    `}
  `;
}
