/** The steps of a job in the order in which they began, with how long each took. */

import { duration } from '../figures.js';
import { html } from '../html.js';
import { StateMark } from './state-mark.js';

/**
 * @param {{steps: import('../client.js').Snapshot['steps'], nameOf: (step: string) => any}} props `nameOf` says what
 *   a step is
 */
export function Timeline({ steps, nameOf }) {
  return html`
    <ol class="timeline" aria-label="Steps">
      ${steps.map((step) => html`
        <li key=${step.name} data-state=${step.state}>
          <span class="timeline-name">${nameOf(step.name)}</span>
          ${step.attempt > 1 && html`<span class="timeline-attempt">attempt ${step.attempt}</span>`}
          <span class="timeline-time">${tookOf(step)}</span>
          <${StateMark} state=${step.state} />
        </li>
      `)}
    </ol>
  `;
}

function tookOf({ started_at: started, finished_at: finished }) {
  return finished ? duration((Date.parse(finished) - Date.parse(started)) / 1000) : '';
}
