/** A command that follows a job from a cursor on in a terminal, as the page does here. */

import { html } from '../html.js';
import { streamToken } from '../service.js';
import { CopyButton } from './copy-button.js';

/** @param {{jobId: string, from: {id: string, seq: number} | null}} props `from` is an update, null: from the start */
export function FollowLine({ jobId, from }) {
  const line = (token) => `curl -N -H "Authorization: Bearer ${token}" '${urlOf(jobId, from)}'`;
  return html`
    <footer class="follow-line">
      <p>${from ? `What follows update ${from.seq}, in a terminal:` : 'The same in a terminal:'}</p>
      <code tabindex="0">${line('$TOKEN')}</code>
      <${CopyButton} text=${async () => line(await streamToken(jobId))} what="the command, with a token for this job" />
    </footer>
  `;
}

function urlOf(jobId, from) {
  const after = from ? `?after=${from.id}` : '';
  return `${location.origin}/v1/jobs/${jobId}/stream${after}`;
}
