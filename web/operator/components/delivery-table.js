/** Webhook messages: what was sent where, how often, and what the other side said. */

import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { JobLink } from './job-link.js';
import { Problem } from './problem.js';
import { When } from './when.js';

/**
 * @param {{deliveries: any[], operator: import('../operator.js').Operator, done: () => void, now: number,
 *   jobs?: boolean}} props `done` after one was sent again; `jobs`: say of which job each one tells
 */
export function DeliveryTable({ deliveries, operator, done, now, jobs = false }) {
  return html`
    <div class="scrolls" tabindex="0" role="region" aria-label="Deliveries">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">State</th>
            ${jobs && html`<th scope="col">Job</th>`}
            <th scope="col">To</th>
            <th scope="col" class="number">Tries</th>
            <th scope="col">Answer</th>
            <th scope="col" class="number">Last</th>
            <th scope="col" class="number">Next</th>
            <th scope="col"><span class="unseen">Acts</span></th>
          </tr>
        </thead>
        <tbody>
          ${deliveries.map((delivery) => html`
            <${Delivery} key=${delivery.id} delivery=${delivery} operator=${operator} done=${done} now=${now} jobs=${jobs} />
          `)}
        </tbody>
      </table>
    </div>
  `;
}

function Delivery({ delivery, operator, done, now, jobs }) {
  const { id, job_id: job, url, attempt, state, status, error, at, next_at: next } = delivery;
  const sending = useAct(async () => {
    await operator.retryDelivery(id);
    done();
  });
  return html`
    <tr data-delivery=${state}>
      <td>${state}</td>
      ${jobs && html`<td><${JobLink} id=${job} /></td>`}
      <td class="breaks"><bdi>${url}</bdi></td>
      <td class="number">${attempt}</td>
      <td class="breaks">
        <bdi>${[status, error].filter(Boolean).join(' · ') || '–'}</bdi>
        ${sending.error && html`<${Problem} error=${sending.error} />`}
      </td>
      <td class="number"><${When} time=${at} now=${now} /></td>
      <td class="number"><${When} time=${next} now=${now} /></td>
      <td class="row-acts">
        <button type="button" class="quiet" aria-disabled=${sending.busy} onClick=${() => sending.run()}>
          Send again<span class="unseen"> ${id}</span>
        </button>
      </td>
    </tr>
  `;
}
