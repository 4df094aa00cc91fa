/** Records on their way from files into a table: how many, how fast, and which were set aside. */

import { CopyForm } from '../components/copy-form.js';
import { Rejects } from '../components/rejects.js';
import { WatchedJob } from '../components/watched-job.js';
import { count } from '../figures.js';
import { html } from '../html.js';
import { isOver, useTitle } from '../watched-job.js';

const COUNTERS = { processed: 'Processed', inserted: 'Inserted', updated: 'Updated', errors: 'Set aside' };

/**
 * @param {{client: import('../watching.js').PageClient, id: string | undefined, home: string,
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
        ? html`
          <${WatchedJob} key=${id} client=${client} recents=${recents} home=${home} id=${id} title=${title ?? 'A copy'}
            what="copy" kept="A copy is kept for a week after its end" spoken=${spoken}>
            ${(snapshot) => html`<${Copied} snapshot=${snapshot} />`}
          <//>
        `
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

function Copied({ snapshot }) {
  const counters = countersOf(snapshot);
  return html`
    <dl class="counters">
      ${Object.entries(COUNTERS).map(([name, label]) => html`
        <div key=${name} data-counter=${name}><dt>${label}</dt><dd>${count(counters[name] ?? 0)}</dd></div>
      `)}
      ${counters.total !== undefined && html`<div><dt>Total</dt><dd>${count(counters.total)}</dd></div>`}
    </dl>
    ${isOver(snapshot) && counters.message && html`<p class="copy-message">${counters.message}</p>`}
    ${counters.errors > 0 && html`<${Rejects} jobId=${snapshot.id} errors=${counters.errors} />`}
  `;
}

function countersOf({ progress, result }) {
  return { ...progress, ...result };
}

/** What a screen reader is told: nothing while the counters run. */
function spoken(snapshot) {
  return isOver(snapshot) ? `${countersOf(snapshot).processed ?? 0} records.` : '';
}
