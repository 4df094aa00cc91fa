/** Every update as it came over the wire, for whoever wants to learn the protocol. */

import { Component } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { bytes } from '../figures.js';
import { html } from '../html.js';
import { FollowLine } from './follow-line.js';

const NEAR_END_PIXELS = 40;
const LONGEST_LINE = 300;

/** @param {{watching: import('../watching.js').Watching, close: () => void}} props */
export function Wire({ watching: { jobId, wire: entries, count: total, road }, close }) {
  const list = useRef(null);
  const atEnd = useRef(true);
  const [opened, setOpened] = useState(null);
  useLayoutEffect(() => {
    if (atEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [entries]);

  function noteEnd({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) {
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
  }

  function leave() {
    document.querySelector('[aria-controls="wire"]')?.focus(); // where it was opened from
    close();
  }

  return html`
    <section class="wire" id="wire" aria-label="Updates as they came over the wire"
      onKeyDown=${({ key }) => key === 'Escape' && leave()}>
      <header>
        <h2>Wire</h2>
        <p>
          ${road && html`<span class="wire-road">by ${road}</span>`}
          <span>${total > entries.length ? `the newest ${entries.length} of ${total} updates` : 'newest last'}</span>
        </p>
        <button type="button" class="quiet" onClick=${leave}>Close</button>
      </header>
      <ol ref=${list} onScroll=${noteEnd} tabindex="0" aria-label="Updates">
        ${entries.map((entry) => html`
          <${Line} key=${entry.number} entry=${entry} since=${entries[0].at} open=${setOpened} />
        `)}
      </ol>
      <${FollowLine} jobId=${jobId} from=${opened} />
    </section>
  `;
}

/** One update; it never changes, so it is rendered once. */
class Line extends Component {
  shouldComponentUpdate() {
    return false;
  }

  render({ entry, since, open }) {
    const { id, event, data, at } = entry;
    const line = JSON.stringify(data);
    const size = new TextEncoder().encode(line).length;
    return html`
      <li>
        <details data-event=${event} data-provider=${data.part}
          onToggle=${({ currentTarget }) => currentTarget.open && id && open(entry)}>
          <summary>
            <time>+${((at - since) / 1000).toFixed(3)}</time>
            <span class="wire-event">${event}</span>
            <span class="wire-id" title=${`cursor ${id}`}>${id.split('-').at(-1)}</span>
            <span class="wire-size">${bytes(size)}</span>
            <code>${line.slice(0, LONGEST_LINE)}</code>
          </summary>
          <pre>${`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data, null, 2)}`}</pre>
        </details>
      </li>
    `;
  }
}
