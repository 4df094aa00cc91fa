/** What a model finds in a system's measurements: its looks as they happen, and its findings while it writes them. */

import { AnswerText } from '../components/answer-text.js';
import { Chart } from '../components/chart.js';
import { FindingCard } from '../components/finding-card.js';
import { InsightsForm } from '../components/insights-form.js';
import { Timeline } from '../components/timeline.js';
import { WatchedJob } from '../components/watched-job.js';
import { html } from '../html.js';
import { isOver, useTitle } from '../watched-job.js';

const stepNames = {
  initialise: 'Begin', fetch: 'Fetch the measurements', validate: 'Check them', store: 'Store the insights',
  'send.insights-completed': 'Tell whoever subscribed', 'answer.findings': 'Write the findings',
};

/**
 * @param {{client: import('../watching.js').PageClient, id: string | undefined, home: string,
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
        ? html`
          <${WatchedJob} key=${id} client=${client} recents=${recents} home=${home} id=${id} title=${title ?? 'An analysis'}
            what="analysis" kept="An analysis is kept for a week after its end" spoken=${spoken}>
            ${(snapshot) => html`<${Analysis} snapshot=${snapshot} />`}
          <//>
        `
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

function Analysis({ snapshot }) {
  const { calls = [], charts = {} } = snapshot.parts.looks?.result ?? {};
  const { summary, findings } = insightsOf(snapshot);
  const thought = snapshot.parts.analysis?.text;
  return html`
    <div class="insights">
      <div class="insights-main">
        ${summary && html`<p class="insights-summary">${summary}</p>`}
        ${findings.map((finding, at) => html`<${FindingCard} key=${at} finding=${finding} />`)}
        ${!summary && thought && html`<${AnswerText} text=${thought} writing=${!isOver(snapshot)} />`}
        ${Object.entries(charts).map(([name, { times, means }]) => html`
          <${Chart} key=${name} name=${name} times=${times} means=${means} />
        `)}
      </div>
      <${Timeline} steps=${snapshot.steps} nameOf=${(step) => nameOf(step, calls)} />
    </div>
  `;
}

/** The insights as far as they are written. */
function insightsOf(snapshot) {
  const { summary, findings = [] } = snapshot.result ?? snapshot.parts.findings?.result ?? {};
  return { summary, findings };
}

/** What a step is, in words; a call of a tool as the model wrote it. */
function nameOf(step, calls) {
  const call = calls.find(({ name }) => `answer.analysis:${name}` === step);
  if (call) {
    const { metric } = call.arguments;
    return html`<code>${call.tool}</code>${metric ? ` ${metric}` : ''}`;
  }
  const turn = /^answer\.analysis:(\d+)$/.exec(step)?.[1];
  if (turn) return `Think, turn ${turn}`;
  return Object.hasOwn(stepNames, step) ? stepNames[step] : step;
}

/** What a screen reader is told: what is looked at, and how many findings there are. */
function spoken(snapshot) {
  if (snapshot?.state === 'completed') return `Done: ${insightsOf(snapshot).findings.length} findings.`;
  return snapshot?.progress.message ?? '';
}
