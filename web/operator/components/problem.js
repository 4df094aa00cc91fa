/** Why the service refused, or that it was not reached, in its own words. */

import { ApiError } from '../../client/errors.js';
import { html } from '../../html.js';

/** @param {{error: Error, again?: () => void}} props */
export function Problem({ error, again }) {
  const { title, detail } = told(error);
  return html`
    <div class="notice failure" role="alert">
      <strong dir="auto">${title}</strong>
      ${detail && html`<p dir="auto">${detail}</p>`}
      ${again && html`<button type="button" class="quiet" onClick=${again}>Ask again</button>`}
    </div>
  `;
}

function told(error) {
  if (!(error instanceof ApiError)) {
    return { title: 'The service was not reached', detail: 'It may not have been done; look before you try again.' };
  }
  return { title: error.problem.title ?? `Refused (${error.status})`, detail: error.problem.detail };
}
