/** One line of a list of jobs: how the job stands just now, the way to its view, and what may be done with it. */

import { duration, moment } from '../figures.js';
import { html } from '../html.js';
import { kindName, placeOf } from '../kinds.js';
import { newest } from '../listing.js';
import { isOver } from '../watched-job.js';
import { useWatching } from '../watching.js';
import { ActButton } from './act-button.js';
import { CANCELLABLE } from './job-bar.js';
import { StateMark } from './state-mark.js';

const RETRYABLE = ['failed', 'cancelled'];

/**
 * @typedef {import('../client.js').Snapshot} Snapshot
 *
 * @param {{client: import('../watching.js').PageClient, job: Snapshot, title: string | undefined,
 *   changed: (job: Snapshot) => void, forget: (id: string) => Promise<void>}} props `title`: what was asked, if that
 *   is known here; `changed` is told of the job after an act
 */
export function JobRow({ client, job: listed, title, changed, forget }) {
  const watching = useWatching(client, isOver(listed) ? undefined : listed.id, listed.run);
  const job = newest(listed, watching.snapshot);
  const name = title ?? kindName(job.kind);
  const place = placeOf(job);
  return html`
    <li class="job-row" data-state=${job.state}>
      <${StateMark} state=${job.state} />
      <p class="job-title">${place ? html`<a href=${place}>${name}</a>` : name}</p>
      <p class="job-facts">${factsOf(job, title).map((fact) => html`<span>${fact}</span>`)}</p>
      <div class="job-row-acts">
        ${CANCELLABLE.includes(job.state) && html`
          <${ActButton} label="Stop" doing="Stopping…" what=${name}
            act=${async () => changed(await client.cancel(job.id))} />
        `}
        ${RETRYABLE.includes(job.state) && html`
          <${ActButton} label="Retry" doing="Retrying…" what=${name}
            act=${async () => changed(await client.retry(job.id))} />
        `}
        ${isOver(job) && html`
          <${ActButton} label="Delete" sure="Delete for good?" doing="Deleting…" what=${name}
            act=${() => forget(job.id)} />
        `}
      </div>
    </li>
  `;
}

/** What is told of a job in few words. @param {Snapshot} job @param {string | undefined} title */
function factsOf(job, title) {
  const { kind, created_at: created, run, progress, error } = job;
  return [
    title && kindName(kind),
    moment(created),
    tookOf(job),
    run > 1 && `run ${run}`,
    !isOver(job) && percentOf(progress),
    !isOver(job) && progress.message,
    error?.title,
  ].filter(Boolean);
}

function tookOf({ started_at: started, finished_at: finished }) {
  return started && finished && duration((Date.parse(finished) - Date.parse(started)) / 1000);
}

function percentOf({ percent }) {
  return typeof percent === 'number' && `${Math.floor(percent)} %`;
}
