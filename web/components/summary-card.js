/** One summary: what it says, of which content it was made (by its hash), how old it is, and whether it is stale. */

import { ageOf } from '../age.js';
import { html } from '../html.js';
import { AnswerText } from './answer-text.js';

/**
 * @param {{title: string, note: string, text: string | null, hash: string | null, at: string | null, stale: boolean,
 *   writing: boolean, children?: any}} props `writing`: the text is still growing
 */
export function SummaryCard({ title, note, text, hash, at, stale, writing, children }) {
  return html`
    <article class="summary-card" data-stale=${stale} aria-label=${title}>
      <header>
        <h2>${title}</h2>
        <span class="freshness" data-stale=${stale}>${writing ? 'writing' : stale ? 'stale' : 'up to date'}</span>
      </header>
      <p class="summary-note">${note}</p>
      ${text ? html`<${AnswerText} text=${text} writing=${writing} />` : html`<p class="nothing">No summary yet.</p>`}
      <footer>
        ${hash && html`<span title=${`SHA-256 of what it is of: ${hash}`}>of <code>${hash.slice(0, 8)}</code></span>`}
        ${at && html`<time datetime=${at}>${ageOf(at)}</time>`}
        <span class="card-acts">${children}</span>
      </footer>
    </article>
  `;
}
