/** One update: when it came, its type, its place and size; the JSON when it is opened. */

import { Component } from 'preact';

import { html } from '../../html.js';
import { bytes } from '../sizes.js';

const LONGEST_LINE = 240;

/** Never rendered again unless it is opened: updates don't change. */
export class LogLine extends Component {
  shouldComponentUpdate(_, { open }) {
    return open !== this.state.open;
  }

  render({ entry: { id, event, text, size, at }, follow }, { open = false }) {
    return html`
      <li>
        <details data-event=${event} onToggle=${({ currentTarget }) => this.setState({ open: currentTarget.open })}>
          <summary>
            ${at && html`<time>${at}</time>`}
            <span class="log-event">${event}</span>
            <span class="log-seq">${id.split('-').at(-1)}</span>
            <span class="log-size">${bytes(size)}</span>
            <code dir="auto">${text.slice(0, LONGEST_LINE)}</code>
          </summary>
          ${open && html`
            <pre dir="auto">${pretty(text)}</pre>
            ${id && html`
              <p class="log-acts">
                <code class="breaks">${id}</code>
                <button type="button" class="quiet" onClick=${() => follow(id)}>Follow from here</button>
              </p>
            `}
          `}
        </details>
      </li>
    `;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
