/** What is known of a job beside its contents. */

import { CopyButton } from '../../components/copy-button.js';
import { duration, moment } from '../../figures.js';
import { html } from '../../html.js';
import { hashOf } from '../place.js';
import { tookOf } from '../rows.js';
import { When } from './when.js';

/** @param {{told: any, now: number}} props `told` is the service's answer about the job */
export function JobFacts({ told: { job, request_id: request }, now }) {
  const took = tookOf(job, now);
  const next = job.next_attempt_at;
  const metadata = Object.entries(job.metadata);
  return html`
    <dl class="facts-grid">
      <${Fact} name="Id"><code class="breaks">${job.id}</code> <${CopyButton} text=${job.id} what="the id" /><//>
      <${Fact} name="Subject">
        ${job.subject
          ? html`<a href=${hashOf('jobs', { subject: job.subject })}><bdi>${job.subject}</bdi></a>`
          : 'nobody’s'}
      <//>
      <${Fact} name="Attempt">${job.attempt} of ${job.max_attempts}${job.run > 1 && `, run ${job.run}`}<//>
      <${Fact} name="Took">${took === null ? 'not begun' : duration(took)}<//>
      <${Fact} name="Submitted"><${When} time=${job.created_at} now=${now} /><//>
      ${job.run_at && html`<${Fact} name="Due"><${When} time=${job.run_at} now=${now} /><//>`}
      ${next && html`<${Fact} name="Next attempt"><${When} time=${next} now=${now} /><//>`}
      ${job.expires_at && html`<${Fact} name="Kept until">${moment(job.expires_at)}<//>`}
      <${Fact} name="Priority">${job.priority}<//>
      ${request && html`<${Fact} name="Request id"><code class="breaks">${request}</code><//>`}
      ${job.progress.message && html`<${Fact} name="Says"><span dir="auto">${job.progress.message}</span><//>`}
      ${metadata.map(([name, value]) => html`
        <${Fact} key=${`metadata ${name}`} name=${name}><bdi>${value}</bdi><//>
      `)}
    </dl>
  `;
}

function Fact({ name, children }) {
  return html`<div><dt><bdi>${name}</bdi></dt><dd>${children}</dd></div>`;
}
