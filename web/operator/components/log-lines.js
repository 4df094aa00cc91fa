/** Updates in a box of their own, the newest last; it stays at its end for as long as one looks there. */

import { useLayoutEffect, useRef } from 'preact/hooks';

import { count } from '../../figures.js';
import { html } from '../../html.js';
import { LogLine } from './log-line.js';

const NEAR_END_PIXELS = 40;
const words = {
  idle: '', connecting: 'Connecting…', live: 'Following', lost: 'Cut: reconnecting…', ended: 'The stream has ended',
  barren: 'Nothing follows this cursor, or it is none of this job’s',
};

/**
 * @param {{tail: import('../tail.js').Tail, pause: (wanted: boolean) => void, stop: () => void,
 *   follow: (cursor: string) => void, readOn: (() => void) | undefined, trimmed: boolean | undefined}} props
 */
export function LogLines({ tail, pause, stop, follow, readOn, trimmed }) {
  const { entries, total, stream, unseen, paused } = tail;
  const following = ['connecting', 'live', 'lost'].includes(stream);
  const list = useRef(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (following && atEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [entries]);

  function noteEnd({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) {
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
  }

  return html`
    <div class="log" data-times=${stream !== 'idle'}>
      <div class="log-bar">
        <span role="status">${paused ? 'Paused' : words[stream]}</span>
        <span class="soft">
          ${manyOf(entries.length, total)}
          ${unseen > 0 && `, ${count(unseen)} more since`}
          ${trimmed && ', older ones are kept no more'}
        </span>
        ${(following || paused) && html`
          <button type="button" class="quiet" onClick=${() => pause(!paused)}>${paused ? 'Go on' : 'Pause'}</button>
        `}
        ${following && html`<button type="button" class="quiet" onClick=${stop}>Stop</button>`}
        ${readOn && html`<button type="button" class="quiet" onClick=${readOn}>Read on</button>`}
      </div>
      <ol ref=${list} tabindex="0" aria-label="Updates" onScroll=${noteEnd}>
        ${entries.map((entry) => html`<${LogLine} key=${entry.number} entry=${entry} follow=${follow} />`)}
      </ol>
    </div>
  `;
}

function manyOf(shown, total) {
  if (total > shown) return `the newest ${count(shown)} of ${count(total)} updates`;
  return `${total} update${total === 1 ? '' : 's'}`;
}
