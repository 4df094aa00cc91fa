/** What operators did and read, the newest first. */

import { html } from '../../html.js';
import { useAsked } from '../asked.js';
import { Empty } from '../components/empty.js';
import { JobLink } from '../components/job-link.js';
import { Pager } from '../components/pager.js';
import { Problem } from '../components/problem.js';
import { When } from '../components/when.js';
import { useNow } from '../now.js';
import { useTitle } from '../title.js';

const PAGE_SIZE = 100;
const ON_A_JOB = ['read contents', 'cancel job', 'retry job'];

/** @param {{operator: import('../operator.js').Operator, figures: any, place: import('../place.js').Place}} props */
export function Audit({ operator, figures, place: { query } }) {
  useTitle('Audit');
  const now = useNow(figures);
  const ask = () => operator.audit({ ...query, limit: PAGE_SIZE });
  const { answer, stale, error, again } = useAsked(ask, JSON.stringify(query));
  return html`
    <div class="head">
      <h1>Audit</h1>
      <p class="soft small">What operators did and read; kept for 90 days, the newest 10,000.</p>
      <button type="button" class="quiet" onClick=${again}>Read again</button>
    </div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer?.items.length === 0 && html`
      <${Empty} title="No operator has done anything yet.">
        <p>Each act of this view, and each reading of contents, is written here.</p>
      <//>
    `}
    ${answer?.items.length > 0 && html`
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Act</th>
            <th scope="col">On</th>
            <th scope="col" class="wide">Request</th>
            <th scope="col" class="wide">From</th>
            <th scope="col" class="number">When</th>
          </tr>
        </thead>
        <tbody>
          ${answer.items.map(({ at, act, on, request_id: request, address, cursor }) => html`
            <tr key=${cursor}>
              <td>${act}</td>
              <td class="breaks"><${On} act=${act} on=${on} /></td>
              <td class="wide breaks"><code>${request}</code></td>
              <td class="wide">${address}</td>
              <td class="number"><${When} time=${at} now=${now} /></td>
            </tr>
          `)}
        </tbody>
      </table>
    `}
    ${answer && !stale && html`<${Pager} path="audit" query=${query} next=${answer.next} />`}
  `;
}

function On({ act, on }) {
  if (ON_A_JOB.includes(act)) return html`<${JobLink} id=${on} />`;
  return html`<bdi class="clamp">${on || '–'}</bdi>`;
}
