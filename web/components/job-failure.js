/** Why a whole job failed. */

import { html } from '../html.js';

/** @param {{error: import('../client/model.js').JobError | null, what: string}} props `what` the job was */
export function JobFailure({ error, what }) {
  return html`
    <div class="notice failure" role="alert">
      <strong>${error?.title ?? `The ${what} failed`}</strong>
      <p>${error?.detail}</p>
      ${error?.type && html`<p class="small"><code>${error.type}</code></p>`}
    </div>
  `;
}
