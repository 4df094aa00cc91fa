/** Jobs as rows: state, what it is, whose, how often tried, how far, how long, since when. */

import { StateMark } from '../../components/state-mark.js';
import { duration } from '../../figures.js';
import { html } from '../../html.js';
import { isOver, tookOf } from '../rows.js';
import { JobLink } from './job-link.js';
import { When } from './when.js';

/** @param {{rows: any[], now: number}} props */
export function JobTable({ rows, now }) {
  return html`
    <table class="table jobs">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Job</th>
          <th scope="col" class="wide">Subject</th>
          <th scope="col" class="number wide">Attempt</th>
          <th scope="col" class="wide">Progress</th>
          <th scope="col" class="number wide">Took</th>
          <th scope="col" class="number">Submitted</th>
        </tr>
      </thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.id} row=${row} now=${now} />`)}</tbody>
    </table>
  `;
}

function Row({ row, now }) {
  const took = tookOf(row, now);
  const error = row.error_type ?? row.error?.type;
  return html`
    <tr data-state=${row.state}>
      <td><${StateMark} state=${row.state} /></td>
      <td class="job">
        <${JobLink} id=${row.id}><bdi>${row.kind}</bdi><//>
        ${error && html`<span class="error-type"><bdi>${error}</bdi></span>`}
      </td>
      <td class="wide cut"><bdi>${row.subject ?? '–'}</bdi></td>
      <td class="number wide">${row.attempt} of ${row.max_attempts}</td>
      <td class="wide"><${Progress} row=${row} /></td>
      <td class="number wide">${took === null ? '–' : duration(took)}</td>
      <td class="number"><${When} time=${row.created_at} now=${now} /></td>
    </tr>
  `;
}

function Progress({ row: { state, progress } }) {
  const { percent } = progress;
  if (typeof percent !== 'number' || isOver({ state })) return null;
  return html`
    <progress max="100" value=${percent} aria-label="How much is done"></progress>
    <span class="soft"> ${Math.floor(percent)} %</span>
  `;
}
