/** Every update as it came over the wire, for whoever wants to learn the protocol. */

import { Component } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import { html } from '../html.js';

const NEAR_END_PIXELS = 40;
const LONGEST_LINE = 300;

/** @param {{entries: import('../watching.js').WireEntry[], total: number, close: () => void}} props */
export function Wire({ entries, total, close }) {
  const list = useRef(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (atEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [entries]);

  function noteEnd({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) {
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
  }

  return html`
    <section class="wire" id="wire" aria-label="Updates as they came over the wire">
      <header>
        <h2>Wire</h2>
        <p>${total > entries.length ? `the newest ${entries.length} of ${total} updates` : 'newest last'}</p>
        <button type="button" class="quiet" onClick=${close}>Close</button>
      </header>
      <ol ref=${list} onScroll=${noteEnd} tabindex="0">
        ${entries.map((entry) => html`<${Line} key=${entry.number} entry=${entry} since=${entries[0].at} />`)}
      </ol>
    </section>
  `;
}

/** One update; it never changes, so it is rendered once. */
class Line extends Component {
  shouldComponentUpdate() {
    return false;
  }

  render({ entry: { id, event, data, at }, since }) {
    const line = JSON.stringify(data);
    return html`
      <li>
        <details data-event=${event} data-provider=${data.part}>
          <summary>
            <time>+${((at - since) / 1000).toFixed(3)}</time>
            <span class="wire-event">${event}</span>
            <span class="wire-id">${id.split('-').at(-1)}</span>
            <code>${line.slice(0, LONGEST_LINE)}</code>
          </summary>
          <pre>${`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data, null, 2)}`}</pre>
        </details>
      </li>
    `;
  }
}
