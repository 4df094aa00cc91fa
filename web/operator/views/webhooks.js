/** Every message to a webhook, the newest first. */

import { html } from '../../html.js';
import { useAsked } from '../asked.js';
import { DeliveryTable } from '../components/delivery-table.js';
import { Empty } from '../components/empty.js';
import { Pager } from '../components/pager.js';
import { Problem } from '../components/problem.js';
import { useNow } from '../now.js';
import { useTitle } from '../title.js';

const PAGE_SIZE = 50;

/** @param {{operator: import('../operator.js').Operator, figures: any, place: import('../place.js').Place}} props */
export function Webhooks({ operator, figures, place: { query } }) {
  useTitle('Webhooks');
  const now = useNow(figures);
  const { answer, stale, error, again } = useAsked(
    () => operator.deliveries({ ...query, limit: PAGE_SIZE }), JSON.stringify(query), [figures.changes],
  );
  return html`
    <div class="head"><h1>Webhooks</h1></div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer?.items.length === 0 && html`
      <${Empty} title="Nothing has been sent to a webhook.">
        <p>
          Submit a job with <code>"webhook": {"url": "https://…"}</code>; what its receiver answers is shown here.
        </p>
      <//>
    `}
    ${answer?.items.length > 0 && html`
      <${DeliveryTable} deliveries=${answer.items} operator=${operator} done=${again} now=${now} jobs />
    `}
    ${answer && !stale && html`<${Pager} path="webhooks" query=${query} next=${answer.next} />`}
  `;
}
