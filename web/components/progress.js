/** How far a job is: what it does now, and how much of it is done where that is known. */

import { html } from '../html.js';
import { Ticking } from './ticking.js';

/**
 * @param {{progress: Record<string, unknown>, began: number | null}} props the snapshot's `progress`, and
 *   `performance.now()` when the job began
 */
export function Progress({ progress, began }) {
  const { percent, message } = progress;
  return html`
    <div class="progress">
      <progress max="100" value=${percent ?? undefined} aria-label="How much is done"></progress>
      <p>
        <span>${message ?? 'Waiting for a worker…'}</span>
        ${began !== null && html`<span class="progress-time"><${Ticking} since=${began} /></span>`}
      </p>
    </div>
  `;
}
