/** Every job, the newest first, by kind, state and subject; its rows move while they are looked at. */

import { html } from '../../html.js';
import { useAsked } from '../asked.js';
import { Empty } from '../components/empty.js';
import { Filters } from '../components/filters.js';
import { JobTable } from '../components/job-table.js';
import { Pager } from '../components/pager.js';
import { Problem } from '../components/problem.js';
import { useLiveRows } from '../live-rows.js';
import { useNow } from '../now.js';
import { hashOf } from '../place.js';
import { useTitle } from '../title.js';

const PAGE_SIZE = 50;
const NONE = [];

/** @param {{operator: import('../operator.js').Operator, figures: any, place: import('../place.js').Place}} props */
export function Jobs({ operator, figures, place: { query } }) {
  useTitle('Jobs');
  const now = useNow(figures);
  const reasons = query.cursor ? [] : [figures.changes]; // an older page is left as it was opened
  const { answer, stale, error, again } = useAsked(
    () => operator.jobs({ ...query, limit: PAGE_SIZE }), JSON.stringify(query), reasons,
  );
  const rows = useLiveRows(answer?.items ?? NONE);
  const kinds = useAsked(operator.kinds, 'kinds').answer?.items ?? NONE;
  const filtered = Boolean(query.kind || query.state || query.subject);

  return html`
    <div class="head">
      <h1>Jobs</h1>
      <${Filters} query=${query} kinds=${kinds.map(({ kind }) => kind)} />
    </div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${rows.length > 0 && html`<${JobTable} rows=${rows} now=${now} />`}
    ${answer && !stale && rows.length === 0 && (filtered || query.cursor
      ? html`
        <${Empty} title="No job fits."><p><a class="quiet" href=${hashOf('jobs')}>Show all jobs</a></p><//>
      `
      : html`
        <${Empty} title="No job has been submitted yet.">
          <p>Submit one with <code>POST /v1/jobs</code>; it appears here at once.</p>
        <//>
      `)}
    ${answer && !stale && html`<${Pager} path="jobs" query=${query} next=${answer.next} />`}
  `;
}
