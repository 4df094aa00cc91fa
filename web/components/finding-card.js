/** One finding of an analysis: how severe it is, what it rests on, what to do. */

import { html } from '../html.js';

/** @typedef {{title?: string, severity?: string, evidence?: {call?: string, says?: string}[], recommendation?: string}} Finding */

/** @param {{finding: Finding}} props it may still be growing */
export function FindingCard({ finding: { title, severity, evidence = [], recommendation } }) {
  return html`
    <article class="finding" data-severity=${severity}>
      <header>
        <h3>${title}</h3>
        ${severity && html`<span class="severity">${severity}</span>`}
      </header>
      ${evidence.length > 0 && html`
        <ul class="evidence" aria-label="Evidence">
          ${evidence.map(({ call, says }) => html`<li>${says} ${call && html`<code>${call}</code>`}</li>`)}
        </ul>
      `}
      ${recommendation && html`<p class="recommendation">${recommendation}</p>`}
    </article>
  `;
}
