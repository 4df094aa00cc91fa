/** One question put to three providers, and their answers as they are written. */

import { useEffect, useRef, useState } from 'preact/hooks';

import { AnswerCard, nameOf, PROVIDERS, stateOf } from '../components/answer-card.js';
import { Composer } from '../components/composer.js';
import { EarlierRounds } from '../components/earlier-rounds.js';
import { JobBar } from '../components/job-bar.js';
import { JobFailure } from '../components/job-failure.js';
import { wordFor } from '../components/state-mark.js';
import { Unreadable } from '../components/unreadable.js';
import { Welcome } from '../components/welcome.js';
import { Wire } from '../components/wire.js';
import { html } from '../html.js';
import { useStickyEnd } from '../sticky-end.js';
import { isOver, useEndNoted, useTitle } from '../watched-job.js';
import { useWatching } from '../watching.js';

const UNTOLD = {
  state: 'pending', text: '', model: null, attempt: 0, error: null, usage: null, elapsed: null, first_token: null,
  sha256: null,
};

/**
 * @param {{client: import('../watching.js').PageClient, id: string | undefined, home: string,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>, known: import('../recents.js').Recent[]}} props
 */
export function Chat({ client, recents, known, home, id }) {
  const [text, setText] = useState('');
  const [wireOpen, setWireOpen] = useState(false);
  const box = useRef(null);
  const [runs, setRuns] = useState(0);
  const watching = useWatching(client, id, runs);
  const { title: question, conversation } = known.find((recent) => recent.id === id) ?? {};
  useEndNoted(recents, watching.snapshot);
  useTitle(question);
  useStickyEnd(!isOver(watching.snapshot));
  useEffect(() => {
    const typing = matchMedia('(pointer: fine)').matches; // on a phone a keyboard would pop up over the answers
    if (typing) box.current.focus({ preventScroll: true });
  }, [id]);

  async function send(asked, key) {
    const talk = conversation ?? key; // the key is made anew for each question, and so names a new conversation
    const job = await client.submit('chat', { message: asked, conversation_id: talk }, { idempotency_key: key });
    recents.add({ id: job.id, home, title: asked, conversation: talk });
    location.hash = `${home}/${job.id}`;
  }

  async function askAgain(provider) {
    await client.retry(id, { parts: [provider] });
    setRuns(runs + 1);
  }

  function pick(sample) {
    setText(sample);
    box.current.focus();
  }

  return html`
    <main class="chat" data-empty=${!id}>
      ${id
        ? html`
          <${Conversation} watching=${watching} question=${question} home=${home} askAgain=${askAgain}
            earlier=${conversation && html`<${EarlierRounds} conversation=${conversation} current=${id} />`}
            forget=${() => recents.forget(id)}>
            <${JobBar} watching=${watching} wireOpen=${wireOpen} toggleWire=${() => setWireOpen(!wireOpen)}
              cancel=${() => client.cancel(id)} />
          <//>
        `
        : html`<${Welcome} pick=${pick} />`}
      <div class="dock">
        ${id && wireOpen && html`
          <${Wire} watching=${watching} close=${() => setWireOpen(false)} />
        `}
        <${Composer} text=${text} onText=${setText} box=${box}
          placeholder=${conversation ? 'Ask further…' : 'Ask all three…'} send=${send} />
      </div>
    </main>
  `;
}

function Conversation({ watching, question, home, earlier, askAgain, forget, children }) {
  const { snapshot, error } = watching;
  if (error) {
    return html`
      <${Unreadable} error=${error} what="chat" kept="A chat is kept for an hour after its end" home=${home}
        forget=${forget} />
    `;
  }
  return html`
    <section class="conversation">
      ${earlier}
      <h1 class="question">${question ?? 'A chat asked elsewhere'}</h1>
      ${children}
      ${isUnexplained(snapshot) && html`<${JobFailure} error=${snapshot.error} what="chat" />`}
      <div class="answers">
        ${providersOf(snapshot).map((provider) => html`
          <${AnswerCard} key=${provider} provider=${provider} part=${snapshot?.parts[provider] ?? UNTOLD}
            clock=${watching.clocks[provider]} jobBegan=${watching.began}
            proven=${watching.proofs[provider]} ended=${isOver(snapshot)} askAgain=${askAgain} />
        `)}
      </div>
      <p class="unseen" role="status">${spoken(snapshot)}</p>
    </section>
  `;
}

/** All three while they may still begin; once the job is over, those that did. */
function providersOf(snapshot) {
  const asked = Object.keys(snapshot?.parts ?? {});
  const others = asked.filter((provider) => !PROVIDERS.includes(provider));
  return [...PROVIDERS.filter((provider) => !isOver(snapshot) || asked.includes(provider)), ...others];
}

/** Whether the job failed for a reason that no card tells. */
function isUnexplained(snapshot) {
  return snapshot?.state === 'failed' && !Object.values(snapshot.parts).some(({ state }) => state === 'failed');
}

/** What a screen reader is told: states, never the words as they come. */
function spoken(snapshot) {
  const parts = Object.entries(snapshot?.parts ?? {});
  return parts.map(([provider, part]) => `${nameOf(provider)}: ${wordFor(stateOf(part))}.`).join(' ');
}
