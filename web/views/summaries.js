/** Sessions and their summaries: each with the hash of what it is of and its age, and one of them all. */

import { useEffect, useState } from 'preact/hooks';

import { JobBar } from '../components/job-bar.js';
import { JobFailure } from '../components/job-failure.js';
import { Refusal } from '../components/refusal.js';
import { SessionForm } from '../components/session-form.js';
import { SummaryCard } from '../components/summary-card.js';
import { Wire } from '../components/wire.js';
import { html } from '../html.js';
import { preflight, putSession, session, tree } from '../service.js';
import { isOver, useTitle } from '../watched-job.js';
import { useWatching } from '../watching.js';

const TREE = 'page';

/** @param {{client: import('../watching.js').PageClient, home: string, id: string | undefined}} props */
export function Summaries({ client, home, id }) {
  const [held, setHeld] = useState({ tree: undefined, sessions: [] });
  const [error, setError] = useState(null);
  const [wireOpen, setWireOpen] = useState(false);
  const watching = useWatching(client, id);
  const over = isOver(watching.snapshot);
  useTitle('Summaries');
  useEffect(() => { look(); }, [over]);

  async function look() {
    try {
      const found = await tree(TREE);
      const sessions = await Promise.all((found?.session_ids ?? []).map((each) => session(each).catch(() => null)));
      setHeld({ tree: found, sessions: sessions.filter(Boolean) });
    } catch (refusal) {
      setError(refusal);
    }
  }

  async function keep({ name, talk }) {
    await putSession(name, { messages: messagesIn(talk), tree_id: TREE });
    await look();
  }

  async function summarise(submit) {
    setError(null);
    try {
      const jobId = await submit();
      if (jobId) location.hash = `${home}/${jobId}`;
    } catch (refusal) {
      setError(refusal);
    }
  }

  const all = () => summarise(async () => (await preflight(TREE)).job_id);
  const one = (name) => summarise(async () => (await client.submit('summarize-session', { session_id: name })).id);
  const { snapshot } = watching;
  const growing = id && snapshot && !over ? snapshot : null;
  return html`
    <main class="view">
      <section class="summaries">
        <h1 class="question">Talks, <em>in short.</em></h1>
        ${held.tree === null && html`
          <p class="summaries-lead">
            Keep what was said, and a model sums it up: each session, and all of them together. Only what has changed
            since is ever summed up again.
          </p>
        `}
        ${id && snapshot && html`
          <${JobBar} watching=${watching} wireOpen=${wireOpen} toggleWire=${() => setWireOpen(!wireOpen)}
            cancel=${() => client.cancel(id)} />
        `}
        ${error && html`<${Refusal} error=${error} />`}
        ${snapshot?.state === 'failed' && html`<${JobFailure} error=${snapshot.error} what="summary" />`}
        ${held.tree && html`
          <${SummaryCard} title="All of them" note=${noteOf(held)}
            text=${textOf(growing, 'summarize-tree') ?? held.tree.high_level_summary}
            hash=${held.tree.high_level_summary_hash} at=${held.tree.last_summarized_at} stale=${held.tree.stale}
            writing=${growing?.kind === 'summarize-tree'}>
            <button type="button" class="quiet" disabled=${!held.tree.stale || Boolean(growing)} onClick=${all}>
              Summarise what is stale
            </button>
          <//>
        `}
        <div class="summary-cards">
          ${held.sessions.map((each) => html`
            <${SummaryCard} key=${each.id} title=${each.id} note=${`${each.messages.length} messages`} text=${each.summary}
              hash=${each.summary_hash} at=${each.last_summarized_at} stale=${each.stale} writing=${false}>
              <button type="button" class="quiet" disabled=${!each.stale || Boolean(growing)} onClick=${() => one(each.id)}>
                Summarise
              </button>
            <//>
          `)}
        </div>
        <${SessionForm} send=${keep} />
      </section>
      ${id && wireOpen && html`
        <div class="dock">
          <${Wire} watching=${watching} close=${() => setWireOpen(false)} />
        </div>
      `}
    </main>
  `;
}

/** @param {string} talk @returns {{role: string, content: string}[]} */
function messagesIn(talk) {
  const messages = [];
  for (const line of talk.split('\n').map((each) => each.trim()).filter(Boolean)) {
    const [, role, content] = /^([^:]{1,64}):\s*(.+)$/.exec(line) ?? [null, 'user', line];
    messages.push({ role, content });
  }
  return messages;
}

function noteOf({ tree: { session_ids: sessions, stale_session_ids: stale } }) {
  const count = `${sessions.length} session${sessions.length === 1 ? '' : 's'}`;
  return stale.length > 0 ? `${count}, ${stale.length} of them changed since` : count;
}

function textOf(snapshot, kind) {
  return snapshot?.kind === kind ? snapshot.parts.summary?.text || null : null;
}
