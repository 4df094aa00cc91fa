/** Where a job or a part stands, as a sign and a word. */

import { html } from '../html.js';

const CHECK = html`<path d="M3.5 8.5l3 3 6-6.5" />`;
const CROSS = html`<path d="M4.5 4.5l7 7m0-7l-7 7" />`;
const DASH = html`<path d="M4 8h8" />`;
const RING = html`<circle cx="8" cy="8" r="4.5" />`;
const PEN = html`<path d="M3 5h10M3 8h7M3 11h8.5" />`;
const BACK = html`<path d="M12.5 8a4.5 4.5 0 1 1-1.4-3.2M12.5 2.8v2.6H9.9" />`;

const marks = {
  scheduled: { sign: RING, word: 'Scheduled' },
  queued: { sign: RING, word: 'Queued' },
  waiting: { sign: RING, word: 'Waiting' },
  pending: { sign: RING, word: 'Waiting' },
  running: { sign: PEN, word: 'Running' },
  writing: { sign: PEN, word: 'Writing' },
  retrying: { sign: BACK, word: 'Trying again' },
  cancelling: { sign: DASH, word: 'Cancelling' },
  completed: { sign: CHECK, word: 'Done' },
  failed: { sign: CROSS, word: 'Failed' },
  cancelled: { sign: DASH, word: 'Cancelled' },
};

/** @param {string} state @returns {string} */
export function wordFor(state) {
  return Object.hasOwn(marks, state) ? marks[state].word : state;
}

/** @param {{state: string}} props a job's or a part's state; a writing part's is `writing` */
export function StateMark({ state }) {
  return html`
    <span class="state-mark" data-state=${state}>
      <svg viewBox="0 0 16 16" aria-hidden="true">${(Object.hasOwn(marks, state) ? marks[state] : marks.queued).sign}</svg>${wordFor(state)}
    </span>
  `;
}
