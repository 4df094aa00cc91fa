/** The newest updates of one job's log, however many come: bounded, and shown at most once a frame. */

import { listen } from './events.js';

const MOST_ENTRIES = 500;
const TYPES = ['snapshot', 'state', 'progress', 'step', 'part', 'delta', 'end', 'ping', 'bye', 'problem'];
const REMARKS = ['ping', 'bye', 'problem'];
const encoder = new TextEncoder();

/**
 * `at` is when it came, or empty for what was read; `size` the bytes of its JSON. `unseen`: how many came while paused.
 *
 * @typedef {{number: number, id: string, event: string, text: string, size: number, at: string}} Entry
 * @typedef {'idle' | 'connecting' | 'live' | 'lost' | 'ended' | 'barren'} Stream `barren`: it brought nothing at all
 * @typedef {{entries: Entry[], total: number, stream: Stream, unseen: number, paused: boolean}} Tail
 */

/** @type {Tail} */
export const NOTHING = { entries: [], total: 0, stream: 'idle', unseen: 0, paused: false };

/** @param {(tail: Tail) => void} show */
export function createTail(show) {
  let [entries, total, stream, last] = [[], 0, 'idle', ''];
  let held = null;
  let drawing = false;
  let stopListening = () => {};

  return { begin, take, follow, pause, stop };

  /** Forgets what there was. */
  function begin() {
    stopListening();
    [entries, total, stream, held] = [[], 0, 'idle', null];
  }

  /** Adds updates as the log holds them. @param {{id: string, event: string, data: object}[]} items */
  function take(items) {
    for (const { id, event, data } of items) add({ id, event, text: JSON.stringify(data), at: '' });
    draw();
  }

  /**
   * Listens as any client would, from the cursor on.
   *
   * @param {string} job @param {string} cursor empty: a snapshot comes first
   */
  function follow(job, cursor) {
    begin();
    [stream, last] = ['connecting', cursor];
    const url = () => `/v1/operator/jobs/${job}/stream${last ? `?after=${encodeURIComponent(last)}` : ''}`;
    stopListening = listen(url, { types: TYPES, hear, connection });
    draw();
  }

  /** Holds still what is shown, while more of it goes on coming. @param {boolean} wanted */
  function pause(wanted) {
    held = wanted ? { entries, total } : null;
    draw();
  }

  function stop() {
    stopListening();
    if (stream !== 'idle') stream = 'ended';
    held = null;
    draw();
  }

  function hear({ type, data, lastEventId }) {
    last = lastEventId || last;
    const at = new Date().toISOString().slice(11, 23);
    add({ id: REMARKS.includes(type) ? '' : lastEventId, event: type, text: data, at });
    if (type === 'end') {
      stopListening();
      stream = 'ended';
    }
    draw();
  }

  function connection(state) {
    if (state !== 'closed') stream = state;
    else stream = total > 0 ? 'ended' : 'barren';
    draw();
  }

  function add(entry) {
    total += 1;
    entries = [...entries, { number: total, size: encoder.encode(entry.text).length, ...entry }].slice(-MOST_ENTRIES);
  }

  function draw() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      const seen = held ?? { entries, total };
      show({ ...seen, stream, unseen: total - seen.total, paused: held !== null });
    });
  }
}
