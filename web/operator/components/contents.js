/** What a job was given and what it made: hidden until somebody asks, which is written down. */

import { useState } from 'preact/hooks';

import { CopyButton } from '../../components/copy-button.js';
import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { Problem } from './problem.js';

/** @param {{operator: import('../operator.js').Operator, id: string}} props */
export function Contents({ operator, id }) {
  const [contents, setContents] = useState(null);
  const { busy, error, run } = useAct(async () => setContents(await operator.contents(id)));
  return html`
    <section aria-labelledby="contents">
      <div class="section-head">
        <h2 id="contents">Contents</h2>
        ${contents
          ? html`
            <button type="button" class="quiet" onClick=${run}>${busy ? 'Reading…' : 'Read again'}</button>
            <button type="button" class="quiet" onClick=${() => setContents(null)}>Hide</button>
          `
          : html`<button type="button" class="quiet" onClick=${run}>${busy ? 'Reading…' : 'Show contents'}</button>`}
        <p class="soft small">Input, result and texts. Each reading is written to the audit log.</p>
      </div>
      ${error && html`<${Problem} error=${error} />`}
      ${contents && html`
        <${Text} name="Input" text=${spelled(contents.input)} />
        <${Text} name="Result" text=${spelled(contents.result)} />
        ${Object.entries(contents.parts).map(([name, text]) => text && html`
          <${Text} key=${name} name=${name} text=${text} />
        `)}
      `}
    </section>
  `;
}

function Text({ name, text }) {
  return html`
    <figure class="text">
      <figcaption><bdi>${name}</bdi><${CopyButton} text=${text} what=${name} /></figcaption>
      <pre dir="auto" tabindex="0" role="region" aria-label=${name}>${text}</pre>
    </figure>
  `;
}

function spelled(value) {
  return value === null || value === undefined ? 'None.' : JSON.stringify(value, null, 2);
}
