/** What the clock starts, when it did last and does next; each can be run now. */

import { useState } from 'preact/hooks';

import { html } from '../../html.js';
import { useAct, useAsked } from '../asked.js';
import { Empty } from '../components/empty.js';
import { JobLink } from '../components/job-link.js';
import { Problem } from '../components/problem.js';
import { When } from '../components/when.js';
import { useNow } from '../now.js';
import { hashOf } from '../place.js';
import { useTitle } from '../title.js';

/** @param {{operator: import('../operator.js').Operator, figures: any}} props */
export function Schedules({ operator, figures }) {
  useTitle('Schedules');
  const now = useNow(figures);
  const { answer, error, again } = useAsked(operator.schedules, 'schedules', [figures.changes]);
  return html`
    <div class="head"><h1>Schedules</h1><p class="soft small">Times are UTC.</p></div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer?.items.length === 0 && html`
      <${Empty} title="Nothing runs by the clock.">
        <p>A schedule is declared in code, beside the kind that it starts.</p>
      <//>
    `}
    ${answer?.items.length > 0 && html`
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Schedule</th>
            <th scope="col">When</th>
            <th scope="col" class="number wide">Last</th>
            <th scope="col" class="number">Next</th>
            <th scope="col"><span class="unseen">Acts</span></th>
          </tr>
        </thead>
        <tbody>
          ${answer.items.map((schedule) => html`
            <${Schedule} key=${schedule.name} schedule=${schedule} operator=${operator} now=${now} done=${again} />
          `)}
        </tbody>
      </table>
    `}
  `;
}

function Schedule({ schedule: { name, kind, when, last, next }, operator, now, done }) {
  const [job, setJob] = useState('');
  const { busy, error, run } = useAct(async () => {
    setJob((await operator.runSchedule(name)).job_id);
    done();
  });
  return html`
    <tr>
      <td class="job">
        <bdi>${name}</bdi> ${kind !== name && html`<a class="soft" href=${hashOf('jobs', { kind })}><bdi>${kind}</bdi></a>`}
        ${error && html`<${Problem} error=${error} />`}
      </td>
      <td>${when}</td>
      <td class="number wide"><${When} time=${last} now=${now} /></td>
      <td class="number"><${When} time=${next} now=${now} /></td>
      <td class="row-acts">
        <span role="status">${job && html`<${JobLink} id=${job}>Started<//>`}</span>
        <button type="button" class="quiet" aria-disabled=${busy} onClick=${() => run()}>
          Run now<span class="unseen"> ${name}</span>
        </button>
      </td>
    </tr>
  `;
}
