/** Records on their way from files into a table: how many, how fast, and which were set aside. */

import { useState } from 'preact/hooks';

import { CopyForm } from '../components/copy-form.js';
import { JobBar } from '../components/job-bar.js';
import { JobFailure } from '../components/job-failure.js';
import { Progress } from '../components/progress.js';
import { Rejects } from '../components/rejects.js';
import { Unreadable } from '../components/unreadable.js';
import { Wire } from '../components/wire.js';
import { count } from '../figures.js';
import { html } from '../html.js';
import { isOver, useEndNoted, useTitle } from '../watched-job.js';
import { useWatching } from '../watching.js';

const COUNTERS = { processed: 'Processed', inserted: 'Inserted', updated: 'Updated', errors: 'Set aside' };

/**
 * @param {{client: ReturnType<typeof import('../client.js').createClient>, id: string | undefined, home: string,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>, known: import('../recents.js').Recent[]}} props
 */
export function Copy({ client, recents, known, home, id }) {
  const title = known.find((recent) => recent.id === id)?.title;
  useTitle(title ?? 'Copy');

  async function send(input, key) {
    const job = await client.submit('copy-records', input, { idempotency_key: key });
    const { source, destination } = input;
    recents.add({ id: job.id, home, title: `${source.connection}/${source.path} to ${destination.table}` });
    location.hash = `${home}/${job.id}`;
  }

  return html`
    <main class="view">
      ${id
        ? html`<${Copied} key=${id} client=${client} recents=${recents} home=${home} id=${id} title=${title} />`
        : html`
          <section class="import">
            <h1>Copy millions,<br />lose <em>none.</em></h1>
            <p>
              Parquet, NDJSON or CSV into a table, batch by batch. Kill whatever you like in between: it goes on where
              the table is, and counts nothing twice.
            </p>
            <${CopyForm} send=${send} />
          </section>
        `}
    </main>
  `;
}

function Copied({ client, recents, home, id, title }) {
  const [wireOpen, setWireOpen] = useState(false);
  const watching = useWatching(client, id);
  const { snapshot, error } = watching;
  useEndNoted(recents, snapshot);
  if (error) {
    return html`
      <${Unreadable} error=${error} what="copy" kept="A copy is kept for a week after its end" home=${home}
        forget=${() => recents.forget(id)} />
    `;
  }
  const counters = { ...snapshot?.progress, ...snapshot?.result };
  return html`
    <section class="conversation">
      <h1 class="question">${title ?? 'A copy'}</h1>
      <${JobBar} watching=${watching} wireOpen=${wireOpen} toggleWire=${() => setWireOpen(!wireOpen)}
        cancel=${() => client.cancel(id)} />
      ${snapshot && !isOver(snapshot) && html`<${Progress} progress=${snapshot.progress} began=${watching.began} />`}
      ${snapshot?.state === 'failed' && html`<${JobFailure} error=${snapshot.error} what="copy" />`}
      <dl class="counters">
        ${Object.entries(COUNTERS).map(([name, label]) => html`
          <div key=${name} data-counter=${name}><dt>${label}</dt><dd>${count(counters[name] ?? 0)}</dd></div>
        `)}
        ${counters.total !== undefined && html`<div><dt>Total</dt><dd>${count(counters.total)}</dd></div>`}
      </dl>
      ${isOver(snapshot) && counters.message && html`<p class="copy-message">${counters.message}</p>`}
      ${counters.errors > 0 && html`<${Rejects} jobId=${id} errors=${counters.errors} />`}
      <p class="unseen" role="status">${isOver(snapshot) ? `${counters.processed ?? 0} records.` : ''}</p>
    </section>
    ${wireOpen && html`
      <div class="dock">
        <${Wire} entries=${watching.wire} total=${watching.count} close=${() => setWireOpen(false)} />
      </div>
    `}
  `;
}
