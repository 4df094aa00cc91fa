/** A transcript or a diagram, and the journey that is read out of it while it is read. */

import { ImportForm } from '../components/import-form.js';
import { JourneyBoard } from '../components/journey-board.js';
import { WatchedJob } from '../components/watched-job.js';
import { html } from '../html.js';
import { isOver, useTitle } from '../watched-job.js';

const LONGEST_TITLE = 80;

/**
 * @param {{client: import('../watching.js').PageClient, id: string | undefined, home: string,
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
        ? html`
          <${WatchedJob} key=${id} client=${client} recents=${recents} home=${home} id=${id} title=${title ?? 'An import'}
            what="import" kept="An import is kept for a day after its end" spoken=${spoken}>
            ${(snapshot) => html`<${Imported} snapshot=${snapshot} />`}
          <//>
        `
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

function Imported({ snapshot }) {
  const journey = journeyOf(snapshot);
  return journey && html`<${JourneyBoard} journey=${journey} growing=${!isOver(snapshot)} />`;
}

/** The journey as far as it is written. */
function journeyOf(snapshot) {
  return snapshot.result ?? snapshot.parts.journey?.result;
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
function spoken(snapshot) {
  if (snapshot?.state === 'completed') return `Done: ${journeyOf(snapshot)?.stages?.length ?? 0} stages.`;
  return snapshot?.progress.message ?? '';
}
