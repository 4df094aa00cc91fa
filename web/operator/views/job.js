/** One job: where it stands, what it did when, why it failed, what it holds, and what its readers are told. */

import { useEffect, useState } from 'preact/hooks';

import { wordOf } from '../../client/words.js';
import { StateMark } from '../../components/state-mark.js';
import { html } from '../../html.js';
import { useAsked } from '../asked.js';
import { Contents } from '../components/contents.js';
import { DeliveryTable } from '../components/delivery-table.js';
import { Failures } from '../components/failures.js';
import { JobActs } from '../components/job-acts.js';
import { JobFacts } from '../components/job-facts.js';
import { Log } from '../components/log.js';
import { Problem } from '../components/problem.js';
import { Waterfall } from '../components/waterfall.js';
import { listen } from '../events.js';
import { useNow } from '../now.js';
import { hashOf } from '../place.js';
import { isOver } from '../rows.js';
import { useTitle } from '../title.js';

const MOVES = ['state', 'progress', 'step', 'part', 'end'];
const GATHER_MILLISECONDS = 400;

/** @param {{operator: import('../operator.js').Operator, figures: any, place: import('../place.js').Place}} props */
export function Job({ operator, figures, place: { id } }) {
  const [runs, setRuns] = useState(0);
  const { answer, error, again } = useAsked(() => operator.job(id), id, [figures.changes]);
  const job = answer?.job;
  useTitle(job ? `${job.kind} ${id.slice(0, 8)}` : 'Job');
  useMoves(job, runs, again);
  const now = useNow(figures);

  function done() {
    again();
    setRuns(runs + 1); // what follows the new run is on another stream
  }

  if (!answer && error) return html`<${Gone} error=${error} again=${again} />`;
  if (!answer) return html`<p class="soft" aria-busy="true">Reading the job…</p>`;
  return html`
    <div class="head">
      <nav class="crumbs" aria-label="Where this is"><a href=${hashOf('jobs')}>Jobs</a></nav>
      <h1><bdi>${job.kind}</bdi></h1>
      <${StateMark} state=${job.state} />
      <${JobActs} operator=${operator} job=${job} done=${done} />
    </div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    <${JobFacts} told=${answer} now=${now} />
    ${job.error && html`<${JobError} error=${job.error} state=${job.state} />`}
    <${Waterfall} told=${answer} now=${now} />
    <${Failures} failures=${answer.failures} parts=${job.parts} now=${now} />
    <${Contents} operator=${operator} id=${id} />
    <${Log} key=${id} operator=${operator} job=${job} />
    ${answer.deliveries.length > 0 && html`
      <section aria-labelledby="deliveries">
        <h2 id="deliveries">Webhook deliveries</h2>
        <${DeliveryTable} deliveries=${answer.deliveries} operator=${operator} done=${again} now=${now} />
      </section>
    `}
  `;
}

/** Has the job read again shortly after it has moved. */
function useMoves(job, runs, again) {
  const follows = job && !isOver(job);
  useEffect(() => {
    if (!follows) return undefined;
    let timer;
    const stop = listen(() => urlOf(job), { types: MOVES, hear });
    return () => {
      clearTimeout(timer);
      stop();
    };

    function hear({ type }) {
      clearTimeout(timer);
      timer = setTimeout(again, GATHER_MILLISECONDS);
      if (type === 'end') stop();
    }
  }, [follows, job?.id, runs]);
}

/** That the job moves, without what it says. */
function urlOf({ id, cursor }) {
  return `/v1/operator/jobs/stream?${new URLSearchParams({ job: id, after: wordOf(new Map([[id, cursor]])) })}`;
}

function JobError({ error, state }) {
  return html`
    <div class="notice failure" data-passing=${state === 'retrying'}>
      <strong dir="auto">${error.title}</strong>
      <p dir="auto">${error.detail}</p>
      <p class="small"><code>${error.type}</code> · ${error.retryable ? 'may pass' : 'does not pass'} by itself</p>
    </div>
  `;
}

function Gone({ error, again }) {
  if (error.status !== 404) return html`<${Problem} error=${error} again=${again} />`;
  return html`
    <div class="empty" role="alert">
      <h1>This job is gone</h1>
      <p>No job has this id: it was never submitted, was deleted, or its time to be kept is over.</p>
      <p><a class="quiet" href=${hashOf('jobs')}>Show all jobs</a></p>
    </div>
  `;
}
