/** How each attempt failed, the newest last, and each part. */

import { html } from '../../html.js';
import { When } from './when.js';

/** @param {{failures: any[], parts: Record<string, any>, now: number}} props */
export function Failures({ failures, parts, now }) {
  const failed = Object.entries(parts).filter(([, { error }]) => error);
  if (!failures.length && !failed.length) return null;
  return html`
    <section aria-labelledby="failures">
      <h2 id="failures">Failures</h2>
      <ol class="failures">
        ${failures.map(({ run, attempt, at, outcome, error }, index) => html`
          <li key=${index}>
            <p>
              <span>${run > 1 && `Run ${run}, `}Attempt ${attempt}</span>
              <code>${error?.type ?? outcome}</code>
              <span class="soft"><${When} time=${at} now=${now} /></span>
            </p>
            ${error && html`<${Reason} error=${error} />`}
          </li>
        `)}
        ${failed.map(([name, { error }]) => html`
          <li key=${name}>
            <p><span>Part <bdi>${name}</bdi></span><code>${error.type}</code></p>
            <${Reason} error=${error} />
          </li>
        `)}
      </ol>
    </section>
  `;
}

function Reason({ error: { title, detail } }) {
  return html`
    <p dir="auto">${title}</p>
    ${detail && html`<p class="detail" dir="auto">${detail}</p>`}
  `;
}
