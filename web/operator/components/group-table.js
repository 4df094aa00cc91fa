/** Dead letters counted by error and kind, to act on all of a sort. */

import { count } from '../../figures.js';
import { html } from '../../html.js';
import { hashOf } from '../place.js';
import { LetterActs } from './letter-acts.js';

/**
 * @param {{groups: {kind: string, error_type: string, count: number}[], operator: import('../operator.js').Operator,
 *   done: (words: string) => void}} props `done` is told what happened
 */
export function GroupTable({ groups, operator, done }) {
  return html`
    <table class="table groups">
      <thead>
        <tr>
          <th scope="col">Error</th>
          <th scope="col">Kind</th>
          <th scope="col" class="number">Jobs</th>
          <th scope="col"><span class="unseen">Acts</span></th>
        </tr>
      </thead>
      <tbody>
        ${groups.map(({ kind, error_type: type, count: many }) => html`
          <tr key=${`${kind} ${type}`}>
            <td class="job"><a href=${hashOf('dead-letters', { kind, type })}><bdi>${type}</bdi></a></td>
            <td><bdi>${kind}</bdi></td>
            <td class="number">${count(many)}</td>
            <td class="row-acts">
              <${LetterActs} operator=${operator} letters=${{ kind, type }} many=${many} done=${done}
                what=${`${kind} jobs that failed with ${type}`} />
            </td>
          </tr>
        `)}
      </tbody>
    </table>
  `;
}
