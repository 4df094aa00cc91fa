/** A transcript or a diagram, and the journey that is read out of it while it is read. */

import { useState } from 'preact/hooks';

import { ImportForm } from '../components/import-form.js';
import { JobBar } from '../components/job-bar.js';
import { JobFailure } from '../components/job-failure.js';
import { JourneyBoard } from '../components/journey-board.js';
import { Progress } from '../components/progress.js';
import { Unreadable } from '../components/unreadable.js';
import { Wire } from '../components/wire.js';
import { html } from '../html.js';
import { isOver, useEndNoted, useTitle } from '../watched-job.js';
import { useWatching } from '../watching.js';

const LONGEST_TITLE = 80;

/**
 * @param {{client: ReturnType<typeof import('../client.js').createClient>, id: string | undefined, home: string,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>, known: import('../recents.js').Recent[]}} props
 */
export function Import({ client, recents, known, home, id }) {
  const title = known.find((recent) => recent.id === id)?.title;
  useTitle(title ?? 'Import');

  async function send(draft, key) {
    const { kind, input, title: named } = await submissionOf(draft);
    const job = await client.submit(kind, input, { idempotency_key: key });
    recents.add({ id: job.id, home, title: named });
    location.hash = `${home}/${job.id}`;
  }

  return html`
    <main class="view">
      ${id
        ? html`<${Imported} key=${id} client=${client} recents=${recents} home=${home} id=${id} title=${title} />`
        : html`
          <section class="import">
            <h1>Read a journey<br />out of <em>what was said.</em></h1>
            <p>
              A transcript or a picture of a diagram becomes stages and steps. You see them appear while they are
              found; reload or leave, and they are here when you return.
            </p>
            <${ImportForm} send=${send} />
          </section>
        `}
    </main>
  `;
}

function Imported({ client, recents, home, id, title }) {
  const [wireOpen, setWireOpen] = useState(false);
  const watching = useWatching(client, id);
  const { snapshot, error } = watching;
  useEndNoted(recents, snapshot);
  if (error) {
    return html`
      <${Unreadable} error=${error} what="import" kept="An import is kept for a day after its end" home=${home}
        forget=${() => recents.forget(id)} />
    `;
  }
  const journey = snapshot?.result ?? snapshot?.parts.journey?.result;
  return html`
    <section class="conversation">
      <h1 class="question">${title ?? 'An import'}</h1>
      <${JobBar} watching=${watching} wireOpen=${wireOpen} toggleWire=${() => setWireOpen(!wireOpen)}
        cancel=${() => client.cancel(id)} />
      ${snapshot && !isOver(snapshot) && html`<${Progress} progress=${snapshot.progress} began=${watching.began} />`}
      ${snapshot?.state === 'failed' && html`<${JobFailure} error=${snapshot.error} what="import" />`}
      ${journey && html`<${JourneyBoard} journey=${journey} growing=${!isOver(snapshot)} />`}
      <p class="unseen" role="status">${spoken(snapshot, journey)}</p>
    </section>
    ${wireOpen && html`
      <div class="dock">
        <${Wire} entries=${watching.wire} total=${watching.count} close=${() => setWireOpen(false)} />
      </div>
    `}
  `;
}

/** The kind, the input and a name for what the draft asks for. @param {import('../components/import-form.js').Draft} draft */
async function submissionOf({ transcript, diagram, prompt, provider }) {
  const options = { ...(prompt.trim() && { prompt: prompt.trim() }), ...(provider && { provider }) };
  if (diagram) {
    const input = { image: await dataUrl(diagram), ...options };
    return { kind: 'diagram-to-journey', input, title: diagram.name };
  }
  const firstLine = transcript.trim().split('\n', 1)[0].slice(0, LONGEST_TITLE);
  return { kind: 'transcript-to-journey', input: { transcript, ...options }, title: firstLine };
}

/** @param {File} file @returns {Promise<string>} */
function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** What a screen reader is told: where it stands, never the journey as it grows. */
function spoken(snapshot, journey) {
  if (snapshot?.state === 'completed') return `Done: ${journey?.stages?.length ?? 0} stages.`;
  return snapshot?.progress.message ?? '';
}
