/** The kinds of jobs, what waits and runs of each; one is paused and resumed here. */

import { count } from '../../figures.js';
import { html } from '../../html.js';
import { useAct, useAsked } from '../asked.js';
import { Problem } from '../components/problem.js';
import { When } from '../components/when.js';
import { useNow } from '../now.js';
import { hashOf } from '../place.js';
import { useTitle } from '../title.js';

/** @param {{operator: import('../operator.js').Operator, figures: any}} props */
export function Kinds({ operator, figures }) {
  useTitle('Kinds');
  const now = useNow(figures);
  const { answer, error, again } = useAsked(operator.kinds, 'kinds', [figures.changes, figures.paused.join(' ')]);
  return html`
    <div class="head">
      <h1>Kinds</h1>
      <p class="soft small">Jobs of a paused kind are still taken, and wait until it is resumed. What runs goes on.</p>
    </div>
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${answer && html`
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col" class="wide">What it does</th>
            <th scope="col" class="number">Queued</th>
            <th scope="col" class="number">Running</th>
            <th scope="col" class="number wide">At once</th>
            <th scope="col"><span class="unseen">Acts</span></th>
          </tr>
        </thead>
        <tbody>
          ${answer.items.map((kind) => html`
            <${Kind} key=${kind.kind} told=${kind} operator=${operator} now=${now} done=${again} />
          `)}
        </tbody>
      </table>
    `}
  `;
}

function Kind({ told, operator, now, done }) {
  const { kind, summary, paused, paused_at: since, queued, running, concurrency } = told;
  const { busy, error, run } = useAct(async () => {
    await (paused ? operator.resumeKind(kind) : operator.pauseKind(kind));
    done();
  });
  return html`
    <tr data-paused=${paused}>
      <td class="job">
        <a href=${hashOf('jobs', { kind })}><bdi>${kind}</bdi></a>
        ${paused && html`<span class="paused">Paused${since && html` <${When} time=${since} now=${now} />`}</span>`}
        ${error && html`<${Problem} error=${error} />`}
      </td>
      <td class="wide soft">${summary}</td>
      <td class="number">${count(queued)}</td>
      <td class="number">${count(running)}</td>
      <td class="number wide">${concurrency ?? 'any'}</td>
      <td class="row-acts">
        <button type="button" class="quiet" aria-disabled=${busy} onClick=${() => run()}>
          ${paused ? 'Resume' : 'Pause'}<span class="unseen"> ${kind}</span>
        </button>
      </td>
    </tr>
  `;
}
