/** What an operator may do to a job: end it, or run it again. */

import { useState } from 'preact/hooks';

import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { isOver } from '../rows.js';
import { Confirm } from './confirm.js';
import { Problem } from './problem.js';

/** @param {{operator: import('../operator.js').Operator, job: any, done: () => void}} props `done` after each act */
export function JobActs({ operator, job, done }) {
  const [asking, setAsking] = useState(false);
  const { busy, error, run } = useAct(() => operator.cancel(job.id));
  const repeatable = isOver(job) && (job.state !== 'completed' || Object.keys(job.parts).length > 0);

  async function cancel() {
    await run();
    done();
  }

  return html`
    <div class="acts">
      ${!isOver(job) && html`
        <button type="button" class="quiet" aria-disabled=${busy || job.state === 'cancelling'} onClick=${cancel}>
          ${busy || job.state === 'cancelling' ? 'Cancelling…' : 'Cancel'}
        </button>
      `}
      ${repeatable && html`<button type="button" class="quiet" onClick=${() => setAsking(true)}>Retry…</button>`}
    </div>
    ${error && html`<${Problem} error=${error} />`}
    ${asking && html`<${Retry} operator=${operator} job=${job} done=${done} close=${() => setAsking(false)} />`}
  `;
}

function Retry({ operator, job, done, close }) {
  const whole = job.state !== 'completed';
  const names = Object.keys(job.parts);
  const [from, setFrom] = useState(whole ? 'kept' : 'parts');
  const [parts, setParts] = useState(names.filter((name) => job.parts[name].state !== 'completed'));
  const toggle = (name) => setParts(parts.includes(name) ? parts.filter((each) => each !== name) : [...parts, name]);

  async function retry() {
    await operator.retry(job.id, { kept: {}, start: { from: 'start' }, parts: { parts } }[from]);
    done();
  }

  return html`
    <${Confirm} title="Run this job again" verb="Retry" act=${retry} close=${close}>
      <fieldset>
        <legend class="unseen">From where</legend>
        ${whole && html`
          <${Choice} value="kept" chosen=${from} choose=${setFrom} name="From the last kept step"
            note="What is done is not done, or paid for, again." />
          <${Choice} value="start" chosen=${from} choose=${setFrom} name="From the start"
            note="Every step runs again; parts begin empty." />
        `}
        ${names.length > 0 && html`
          <${Choice} value="parts" chosen=${from} choose=${setFrom} name="Chosen parts"
            note="The others stay as they are." />
        `}
      </fieldset>
      ${from === 'parts' && html`
        <fieldset class="parts">
          <legend class="unseen">Parts</legend>
          ${names.map((name) => html`
            <label key=${name} class="check">
              <input type="checkbox" checked=${parts.includes(name)} required=${parts.length === 0}
                onChange=${() => toggle(name)} />
              <bdi>${name}</bdi> <span class="soft">${job.parts[name].state}</span>
            </label>
          `)}
        </fieldset>
      `}
    <//>
  `;
}

function Choice({ value, chosen, choose, name, note }) {
  return html`
    <label class="choice">
      <input type="radio" name="from" value=${value} checked=${chosen === value} onChange=${() => choose(value)} />
      <span>${name}<span class="soft">${note}</span></span>
    </label>
  `;
}
