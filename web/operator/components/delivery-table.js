/** Webhook messages: what was sent where, how often, and what the other side said. */

import { html } from '../../html.js';
import { hashOf } from '../place.js';
import { When } from './when.js';

/** @param {{deliveries: any[], now: number, jobs?: boolean}} props `jobs`: say of which job each one tells */
export function DeliveryTable({ deliveries, now, jobs = false }) {
  return html`
    <div class="scrolls" tabindex="0" role="region" aria-label="Deliveries">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">State</th>
            ${jobs && html`<th scope="col">Job</th>`}
            <th scope="col">To</th>
            <th scope="col" class="number">Try</th>
            <th scope="col">Answer</th>
            <th scope="col" class="number">At</th>
            <th scope="col" class="number">Next</th>
          </tr>
        </thead>
        <tbody>
          ${deliveries.map((delivery) => html`
            <tr key=${`${delivery.id} ${delivery.attempt}`} data-delivery=${delivery.state}>
              <td>${delivery.state}</td>
              ${jobs && html`<td><a href=${hashOf(`jobs/${delivery.job_id}`)}><code>${delivery.job_id.slice(0, 8)}</code></a></td>`}
              <td class="breaks"><bdi>${delivery.url}</bdi></td>
              <td class="number">${delivery.attempt}</td>
              <td class="breaks"><bdi>${[delivery.status, delivery.error].filter(Boolean).join(' · ') || '–'}</bdi></td>
              <td class="number"><${When} time=${delivery.at} now=${now} /></td>
              <td class="number"><${When} time=${delivery.next_at} now=${now} /></td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}
