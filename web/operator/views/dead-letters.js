/** Jobs that failed for good, by why: run them again or delete them, one or many at once. */

import { count } from '../../figures.js';
import { html } from '../../html.js';
import { useState } from 'preact/hooks';
import { useAsked } from '../asked.js';
import { Empty } from '../components/empty.js';
import { LetterActs } from '../components/letter-acts.js';
import { LetterTable } from '../components/letter-table.js';
import { Pager } from '../components/pager.js';
import { Problem } from '../components/problem.js';
import { useNow, useTitle } from '../now.js';
import { hashOf } from '../place.js';

const PAGE_SIZE = 50;

/** @param {{operator: import('../operator.js').Operator, figures: any, place: import('../place.js').Place}} props */
export function DeadLetters({ operator, figures, place: { query } }) {
  useTitle('Dead letters');
  const [outcome, setOutcome] = useState('');
  const shown = query.kind && query.type ? Group : Groups;
  return html`
    <p class="outcome" role="status">${outcome}</p>
    <${shown} key=${`${query.kind} ${query.type}`} operator=${operator} figures=${figures} query=${query} tell=${setOutcome} />
  `;
}

function Groups({ operator, figures, tell }) {
  const { answer, error, again } = useAsked(() => operator.deadLetters({ group: 'error' }), 'groups', [figures.dead, figures.changes]);
  const done = (words) => {
    tell(words);
    again();
  };
  return html`
    <div class="head"><h1>Dead letters</h1></div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer?.items.length === 0 && html`
      <${Empty} title="No dead letters.">
        <p>A job whose last attempt fails comes here, and is kept for 30 days, a chat for an hour.</p>
      <//>
    `}
    ${answer?.items.length > 0 && html`
      <table class="table groups">
        <thead>
          <tr><th scope="col">Error</th><th scope="col">Kind</th><th scope="col" class="number">Jobs</th><th scope="col"><span class="unseen">Acts</span></th></tr>
        </thead>
        <tbody>
          ${answer.items.map(({ kind, error_type: type, count: many }) => html`
            <tr key=${`${kind} ${type}`}>
              <td class="job"><a href=${hashOf('dead-letters', { kind, type })}><bdi>${type}</bdi></a></td>
              <td><bdi>${kind}</bdi></td>
              <td class="number">${count(many)}</td>
              <td class="row-acts">
                <${LetterActs} operator=${operator} letters=${{ kind, type }} many=${many} what=${`${kind} jobs that failed with ${type}`} done=${done} />
              </td>
            </tr>
          `)}
        </tbody>
      </table>
    `}
  `;
}

function Group({ operator, figures, query, tell }) {
  const { kind, type } = query;
  const now = useNow(figures);
  const [chosen, setChosen] = useState([]);
  const { answer, stale, error, again } = useAsked(
    () => operator.deadLetters({ ...query, limit: PAGE_SIZE }), JSON.stringify(query), [figures.dead, figures.changes],
  );
  const ids = (answer?.items ?? []).map(({ id }) => id);
  const marked = chosen.filter((id) => ids.includes(id));
  const done = (words) => {
    tell(words);
    setChosen([]);
    again();
  };
  return html`
    <div class="head">
      <nav class="crumbs" aria-label="Where this is"><a href=${hashOf('dead-letters')}>Dead letters</a></nav>
      <h1><bdi>${type}</bdi> <span class="soft">in <bdi>${kind}</bdi></span></h1>
      <div class="acts">
        ${marked.length > 0
          ? html`<${LetterActs} operator=${operator} letters=${{ ids: marked }} many=${marked.length} what="chosen jobs" done=${done} />`
          : ids.length > 0 && html`<p class="soft small">Choose jobs to act on them.</p>`}
      </div>
    </div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer && ids.length === 0 && html`
      <${Empty} title="None are left of these.">
        <p><a class="quiet" href=${hashOf('dead-letters')}>Show all dead letters</a></p>
      <//>
    `}
    ${ids.length > 0 && html`<${LetterTable} letters=${answer.items} chosen=${marked} choose=${setChosen} now=${now} />`}
    ${answer && !stale && html`<${Pager} path="dead-letters" query=${query} next=${answer.next} />`}
  `;
}
