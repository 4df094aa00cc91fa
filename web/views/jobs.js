/** One's own jobs of all kinds, as they stand just now: find one again, stop it, run it once more, delete it. */

import { useRef, useState } from 'preact/hooks';

import { JobRow } from '../components/job-row.js';
import { Refusal } from '../components/refusal.js';
import { wordFor } from '../components/state-mark.js';
import { html } from '../html.js';
import { KINDS, kindName } from '../kinds.js';
import { useListing } from '../listing.js';
import { deleteJob } from '../service.js';
import { useTitle } from '../watched-job.js';

const STATES = [
  'scheduled', 'queued', 'running', 'waiting', 'retrying', 'cancelling', 'completed', 'failed', 'cancelled',
];
const ANY = { kind: '', state: '' };

/**
 * @param {{client: import('../watching.js').PageClient,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>, known: import('../recents.js').Recent[]}} props
 */
export function Jobs({ client, recents, known }) {
  const [filter, setFilter] = useState(ANY);
  const [told, tell] = useState('');
  const heading = useRef(null);
  const { found, next, error, older, replace, drop } = useListing(filter);
  const titleOf = (id) => known.find((recent) => recent.id === id)?.title;
  useTitle('Jobs');

  async function forget(id) {
    await deleteJob(id);
    recents.forget(id);
    drop(id);
    tell('The job is deleted.');
    heading.current.focus(); // its button is gone
  }

  return html`
    <main class="view">
      <section class="jobs">
        <h1 class="question" ref=${heading} tabindex="-1">Your jobs, <em>as they stand.</em></h1>
        <${JobsFilter} filter=${filter} change=${(changes) => setFilter({ ...filter, ...changes })} />
        ${error && html`<${Refusal} error=${error} />`}
        ${found?.length === 0 && html`
          <${Nothing} filtered=${filter.kind || filter.state} all=${() => setFilter(ANY)} />
        `}
        ${found?.length > 0 && html`
          <ol class="job-rows" aria-label="Jobs">
            ${found.map((job) => html`
              <${JobRow} key=${job.id} client=${client} job=${job} title=${titleOf(job.id)} changed=${replace}
                forget=${forget} />
            `)}
          </ol>
        `}
        ${next && html`<button type="button" class="quiet older" onClick=${older}>Show older ones</button>`}
        <p class="unseen" role="status">${told}</p>
      </section>
    </main>
  `;
}

function JobsFilter({ filter: { kind, state }, change }) {
  return html`
    <form class="jobs-filter" aria-label="Which jobs" onSubmit=${(event) => event.preventDefault()}>
      <label>
        <span>Kind</span>
        <select value=${kind} onChange=${({ currentTarget: { value } }) => change({ kind: value })}>
          <option value="">Any</option>
          ${KINDS.map((each) => html`<option key=${each} value=${each}>${kindName(each)}</option>`)}
        </select>
      </label>
      <label>
        <span>State</span>
        <select value=${state} onChange=${({ currentTarget: { value } }) => change({ state: value })}>
          <option value="">Any</option>
          ${STATES.map((each) => html`<option key=${each} value=${each}>${wordFor(each)}</option>`)}
        </select>
      </label>
    </form>
  `;
}

function Nothing({ filtered, all }) {
  if (filtered) {
    return html`
      <div class="jobs-nothing">
        <p>None of your jobs is of this kind and state.</p>
        <button type="button" class="quiet" onClick=${all}>Show all</button>
      </div>
    `;
  }
  return html`
    <div class="jobs-nothing">
      <p>Whatever you start here is listed, with its state as it changes, for as long as it is kept.</p>
      <p><a class="button" href="#/chat">Ask something</a></p>
    </div>
  `;
}
