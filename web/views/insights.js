/** What a model finds in a system's measurements: its looks as they happen, and its findings while it writes them. */

import { useState } from 'preact/hooks';

import { AnswerText } from '../components/answer-text.js';
import { Chart } from '../components/chart.js';
import { FindingCard } from '../components/finding-card.js';
import { InsightsForm } from '../components/insights-form.js';
import { JobBar } from '../components/job-bar.js';
import { JobFailure } from '../components/job-failure.js';
import { Progress } from '../components/progress.js';
import { Timeline } from '../components/timeline.js';
import { Unreadable } from '../components/unreadable.js';
import { Wire } from '../components/wire.js';
import { html } from '../html.js';
import { isOver, useEndNoted, useTitle } from '../watched-job.js';
import { useWatching } from '../watching.js';

const stepNames = {
  initialise: 'Begin', fetch: 'Fetch the measurements', validate: 'Check them', store: 'Store the insights',
  'send.insights-completed': 'Tell whoever subscribed', 'answer.findings': 'Write the findings',
};

/**
 * @param {{client: ReturnType<typeof import('../client.js').createClient>, id: string | undefined, home: string,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>, known: import('../recents.js').Recent[]}} props
 */
export function Insights({ client, recents, known, home, id }) {
  const title = known.find((recent) => recent.id === id)?.title;
  useTitle(title ?? 'Insights');

  async function send({ system, data, prompt }, key) {
    const input = { system_id: system, analysis_data: data, ...(prompt.trim() && { custom_prompt: prompt.trim() }) };
    const job = await client.submit('generate-insights', input, { idempotency_key: key });
    recents.add({ id: job.id, home, title: prompt.trim() || system });
    location.hash = `${home}/${job.id}`;
  }

  return html`
    <main class="view">
      ${id
        ? html`<${Analysis} key=${id} client=${client} recents=${recents} home=${home} id=${id} title=${title} />`
        : html`
          <section class="import">
            <h1>Ask what<br />the numbers <em>show.</em></h1>
            <p>
              A model looks at a system’s measurements with tools, a question at a time. Each look is kept: whatever is
              killed in between, none is paid for twice.
            </p>
            <${InsightsForm} send=${send} />
          </section>
        `}
    </main>
  `;
}

function Analysis({ client, recents, home, id, title }) {
  const [wireOpen, setWireOpen] = useState(false);
  const watching = useWatching(client, id);
  const { snapshot, error } = watching;
  useEndNoted(recents, snapshot);
  if (error) {
    return html`
      <${Unreadable} error=${error} what="analysis" kept="An analysis is kept for a week after its end" home=${home}
        forget=${() => recents.forget(id)} />
    `;
  }
  const { calls = [], charts = {} } = snapshot?.parts.looks?.result ?? {};
  const { summary, findings = [] } = snapshot?.result ?? snapshot?.parts.findings?.result ?? {};
  const thought = snapshot?.parts.analysis?.text;
  return html`
    <section class="conversation">
      <h1 class="question">${title ?? 'An analysis'}</h1>
      <${JobBar} watching=${watching} wireOpen=${wireOpen} toggleWire=${() => setWireOpen(!wireOpen)}
        cancel=${() => client.cancel(id)} />
      ${snapshot && !isOver(snapshot) && html`<${Progress} progress=${snapshot.progress} began=${watching.began} />`}
      ${snapshot?.state === 'failed' && html`<${JobFailure} error=${snapshot.error} what="analysis" />`}
      <div class="insights">
        <div class="insights-main">
          ${summary && html`<p class="insights-summary">${summary}</p>`}
          ${findings.map((finding, at) => html`<${FindingCard} key=${at} finding=${finding} />`)}
          ${!summary && thought && html`<${AnswerText} text=${thought} writing=${!isOver(snapshot)} />`}
          ${Object.entries(charts).map(([name, { times, means }]) => html`
            <${Chart} key=${name} name=${name} times=${times} means=${means} />
          `)}
        </div>
        ${snapshot && html`<${Timeline} steps=${snapshot.steps} nameOf=${(step) => nameOf(step, calls)} />`}
      </div>
      <p class="unseen" role="status">${spoken(snapshot, findings)}</p>
    </section>
    ${wireOpen && html`
      <div class="dock">
        <${Wire} entries=${watching.wire} total=${watching.count} close=${() => setWireOpen(false)} />
      </div>
    `}
  `;
}

/** What a step is, in words; a call of a tool as the model wrote it. */
function nameOf(step, calls) {
  const call = calls.find(({ name }) => `answer.analysis:${name}` === step);
  if (call) {
    const { metric } = call.arguments;
    return html`<code>${call.tool}</code>${metric ? ` ${metric}` : ''}`;
  }
  const turn = /^answer\.analysis:(\d+)$/.exec(step)?.[1];
  return turn ? `Think, turn ${turn}` : stepNames[step] ?? step;
}

/** What a screen reader is told: what is looked at, and how many findings there are. */
function spoken(snapshot, findings) {
  if (snapshot?.state === 'completed') return `Done: ${findings.length} findings.`;
  return snapshot?.progress.message ?? '';
}
