/** Jobs that failed for good, by why: run them again or delete them, one or many at once. */

import { useState } from 'preact/hooks';

import { html } from '../../html.js';
import { useAsked } from '../asked.js';
import { Empty } from '../components/empty.js';
import { GroupTable } from '../components/group-table.js';
import { LetterActs } from '../components/letter-acts.js';
import { LetterTable } from '../components/letter-table.js';
import { Pager } from '../components/pager.js';
import { Problem } from '../components/problem.js';
import { useNow } from '../now.js';
import { hashOf } from '../place.js';
import { useTitle } from '../title.js';

const PAGE_SIZE = 50;

/** @param {{operator: import('../operator.js').Operator, figures: any, place: import('../place.js').Place}} props */
export function DeadLetters({ operator, figures, place: { query } }) {
  useTitle('Dead letters');
  const [outcome, tell] = useState('');
  const { kind, type } = query;
  const shown = kind && type ? Group : Groups;
  return html`
    <p class="outcome" role="status">${outcome}</p>
    <${shown} key=${`${kind} ${type}`} operator=${operator} figures=${figures} query=${query} tell=${tell} />
  `;
}

function Groups({ operator, figures, tell }) {
  const ask = () => operator.deadLetters({ group: 'error' });
  const { answer, error, again } = useAsked(ask, 'groups', [figures.dead, figures.changes]);
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
    ${answer?.items.length > 0 && html`<${GroupTable} groups=${answer.items} operator=${operator} done=${done} />`}
  `;
}

function Group({ operator, figures, query, tell }) {
  const { kind, type } = query;
  const now = useNow(figures);
  const [chosen, choose] = useState([]);
  const { answer, stale, error, again } = useAsked(
    () => operator.deadLetters({ ...query, limit: PAGE_SIZE }), JSON.stringify(query), [figures.dead, figures.changes],
  );
  const letters = answer?.items ?? [];
  const marked = chosen.filter((id) => letters.some((letter) => letter.id === id));
  const done = (words) => {
    tell(words);
    choose([]);
    again();
  };
  return html`
    <div class="head">
      <nav class="crumbs" aria-label="Where this is"><a href=${hashOf('dead-letters')}>Dead letters</a></nav>
      <h1><bdi>${type}</bdi> <span class="soft">in <bdi>${kind}</bdi></span></h1>
      <div class="acts">
        ${marked.length > 0 && html`
          <${LetterActs} operator=${operator} letters=${{ ids: marked }} many=${marked.length} what="chosen jobs"
            done=${done} />
        `}
        ${marked.length === 0 && letters.length > 0 && html`<p class="soft small">Choose jobs to act on them.</p>`}
      </div>
    </div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer && letters.length === 0 && html`
      <${Empty} title="None are left of these.">
        <p><a class="quiet" href=${hashOf('dead-letters')}>Show all dead letters</a></p>
      <//>
    `}
    ${letters.length > 0 && html`<${LetterTable} letters=${letters} chosen=${marked} choose=${choose} now=${now} />`}
    ${answer && !stale && html`<${Pager} path="dead-letters" query=${query} next=${answer.next} />`}
  `;
}
