/** One provider's answer while it is written and after: text, state, times, cost, what went wrong. */

import { count, dollars, duration } from '../figures.js';
import { html } from '../html.js';
import { ActButton } from './act-button.js';
import { AnswerText } from './answer-text.js';
import { CopyButton } from './copy-button.js';
import { StateMark } from './state-mark.js';
import { Ticking } from './ticking.js';

const names = { openai: 'OpenAI', anthropic: 'Anthropic', google: 'Google' };

/** The providers in the order of their cards. */
export const PROVIDERS = Object.keys(names);

/** @param {string} provider */
export function nameOf(provider) {
  return Object.hasOwn(names, provider) ? names[provider] : provider;
}

/** @param {import('../client.js').Part} part @returns {string} a part's state, in finer words while it runs */
export function stateOf(part) {
  if (part.state !== 'running') return part.state;
  return part.error ? 'retrying' : 'writing';
}

/**
 * @param {{provider: string, part: import('../client.js').Part, proven: boolean | undefined, ended: boolean,
 *   askAgain: (provider: string) => Promise<void>, clock: import('../watching.js').Clock | undefined, jobBegan: number | null}} props
 */
export function AnswerCard({ provider, part, clock, jobBegan, proven, ended, askAgain }) {
  const state = stateOf(part);
  const writing = state === 'writing';
  return html`
    <article class="answer-card" data-provider=${provider} data-state=${state} aria-labelledby=${`card-${provider}`}>
      <header>
        <h2 id=${`card-${provider}`}><i class="provider-sign" aria-hidden="true"></i>${nameOf(provider)}</h2>
        <${StateMark} state=${state} />
        <p class="model">${part.model ?? (ended ? 'no model' : 'choosing a model')}</p>
      </header>
      <${Notice} part=${part} state=${state} />
      ${part.text
        ? html`<${AnswerText} text=${part.text} writing=${writing} />`
        : html`<${Emptiness} state=${state} />`}
      ${(part.text || ended || state !== 'failed') && html`
        <footer>
          <${Facts} part=${part} began=${clock?.began ?? jobBegan} first=${clock?.first} />
          <div class="card-acts">
            <${Proof} proven=${proven} part=${part} />
            ${ended && html`
              <${ActButton} label="Ask again" doing="Asking…" what=${nameOf(provider)} act=${() => askAgain(provider)} />
            `}
            ${part.text && html`<${CopyButton} text=${part.text} what=${`${nameOf(provider)}’s answer`} />`}
          </div>
        </footer>
      `}
    </article>
  `;
}

function Notice({ part, state }) {
  if (state === 'retrying') {
    return html`<p class="notice">Attempt ${part.attempt} failed: ${part.error.title}. Trying again…</p>`;
  }
  if (state === 'failed') {
    return html`
      <div class="notice failure">
        <strong>${part.error?.title ?? 'This answer failed'}</strong>
        <p>${part.error?.detail}</p>
        <p class="small">${part.attempt > 1 ? `${part.attempt} attempts · ` : ''}<code>${part.error?.type}</code></p>
      </div>
    `;
  }
  if (part.attempt < 2) return null;
  return html`<p class="notice">
    ${state === 'writing' ? `Attempt ${part.attempt}: the answer starts again.` : `Took ${part.attempt} attempts.`}
  </p>`;
}

function Emptiness({ state }) {
  if (state === 'pending' || state === 'writing' || state === 'retrying') {
    return html`<div class="awaiting" aria-hidden="true"><i></i><i></i><i></i></div>`;
  }
  return state === 'failed' ? null : html`<p class="nothing">No text.</p>`;
}

function Facts({ part, began, first }) {
  const waited = part.first_token ?? (first && began ? (first - began) / 1000 : null);
  const ticks = part.state === 'running' && began !== null;
  const total = ticks ? html`<${Ticking} since=${began} />` : part.elapsed !== null && duration(part.elapsed);
  const { usage } = part;
  return html`
    <dl class="facts">
      <${Fact} name="First token" value=${waited !== null && duration(waited)} />
      <${Fact} name="Total" value=${total} />
      <${Fact} name="Tokens" value=${usage && `${count(usage.input_tokens)} → ${count(usage.output_tokens)}`} />
      ${typeof usage?.cost === 'number' && html`<${Fact} name="Cost" value=${dollars(usage.cost)} />`}
    </dl>
  `;
}

function Fact({ name, value }) {
  return html`<div><dt>${name}</dt><dd>${value || '–'}</dd></div>`;
}

function Proof({ proven, part }) {
  if (proven === undefined || !part.text) return null;
  const title = `SHA-256 of the text as it arrived ${proven ? 'is' : 'is not'} ${part.sha256}`;
  return html`
    <span class="proof" data-proven=${proven} title=${title}>
      ${proven ? 'intact' : 'damaged'} <code>${part.sha256.slice(0, 8)}</code>
    </span>
  `;
}
