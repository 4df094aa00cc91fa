/** What stands where a job should be that can't be shown. */

import { html } from '../html.js';

/**
 * @param {{error: Error & {status?: number}, what: string, kept: string, home: string, forget: () => void}} props
 *   `what` the job is, in the middle of a sentence, and how long such a one is `kept`
 */
export function Unreadable({ error, what, kept, home, forget }) {
  const gone = error.status === 404;
  const reasons = {
    401: 'This page is no longer signed in. Load it again.',
    404: `${kept}, and only for whoever asked for it.`,
  };
  return html`
    <section class="unreadable" role="alert">
      <h1>This ${what} ${gone ? 'is gone' : 'can’t be read'}</h1>
      <p>${reasons[error.status] ?? error.message}</p>
      <p><a class="button" href=${home} onClick=${gone ? forget : undefined}>Start anew</a></p>
    </section>
  `;
}
