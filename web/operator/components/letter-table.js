/** Dead letters of one error, to choose from. */

import { html } from '../../html.js';
import { JobLink } from './job-link.js';
import { When } from './when.js';

/** @param {{letters: any[], chosen: string[], choose: (ids: string[]) => void, now: number}} props */
export function LetterTable({ letters, chosen, choose, now }) {
  const all = chosen.length === letters.length;
  const toggle = (id) => choose(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  return html`
    <table class="table letters">
      <thead>
        <tr>
          <th scope="col" class="pick">
            <input type="checkbox" checked=${all} aria-label="Choose all that are shown"
              onChange=${() => choose(all ? [] : letters.map(({ id }) => id))} />
          </th>
          <th scope="col">Job</th>
          <th scope="col">Error</th>
          <th scope="col" class="wide">Subject</th>
          <th scope="col" class="number wide">Attempts</th>
          <th scope="col" class="number">Failed</th>
        </tr>
      </thead>
      <tbody>
        ${letters.map(({ id, error, subject, attempt, finished_at: finished }) => html`
          <tr key=${id}>
            <td class="pick">
              <input type="checkbox" checked=${chosen.includes(id)} aria-label=${`Choose ${id.slice(0, 8)}`}
                onChange=${() => toggle(id)} />
            </td>
            <td><${JobLink} id=${id} /></td>
            <td class="breaks">
              <span dir="auto">${error?.title}</span>
              <span class="soft wide" dir="auto">${error?.detail}</span>
            </td>
            <td class="wide cut"><bdi>${subject ?? '–'}</bdi></td>
            <td class="number wide">${attempt}</td>
            <td class="number"><${When} time=${finished} now=${now} /></td>
          </tr>
        `)}
      </tbody>
    </table>
  `;
}
