/** Why the service did not take what was sent, and what to do about it. */

import { ApiError } from '../client.js';
import { html } from '../html.js';

/** @param {{error: Error}} props what `client.submit` threw */
export function Refusal({ error }) {
  const { title, detail, errors = [] } = told(error);
  return html`
    <div class="notice failure" role="alert">
      <strong>${title}</strong>
      ${detail && html`<p>${detail}</p>`}
      ${errors.length > 0 && html`
        <ul>${errors.map(({ pointer, detail: why }) => html`<li><code>${pointer}</code> ${why}</li>`)}</ul>
      `}
    </div>
  `;
}

function told(error) {
  if (!(error instanceof ApiError)) {
    return { title: 'The service can’t be reached', detail: 'What you wrote is still here. Send it again: it is taken once.' };
  }
  if (error.status === 401) {
    return { title: 'This page is no longer signed in', detail: 'Copy what you wrote and load the page again.' };
  }
  const { title = `Refused (${error.status})`, detail, errors } = error.problem;
  return { title, detail, errors };
}
