/** One reader's view of a job: an iterator of its snapshots, and events. */

import { TimedOut } from './errors.js';
import { hasEnded, verify } from './fold.js';

const MOST_WAITING = 1000;
const LONGEST_TIMER = 2 ** 31 - 1; // one that is set for longer is due at once

/**
 * @typedef {import('./model.js').Snapshot} Snapshot
 * @typedef {{reader: import('./ledger.js').Reader, snapshot: Snapshot | null}} Asking
 *
 * @param {{start: (asking: Asking) => () => void, after: Snapshot | null, signal?: AbortSignal,
 *   timeout?: number}} options `start` has the reader told of the job, until what it returns is called
 * @returns {import('./model.js').Watch}
 */
export function createWatch({ start, after, signal, timeout }) {
  let snapshot = after;
  /** @type {import('./model.js').Connection} */
  let connection = 'connecting';
  /** @type {Error | null} */
  let failure = null;
  let over = false;
  let shown = false;
  let reading = false;
  /** @type {Snapshot[]} */
  const unread = [];
  /** @type {((settled?: unknown) => void)[]} */
  const sleepers = [];
  /** @type {Map<string, Set<(...told: any[]) => void>>} */
  const listeners = new Map();
  const stop = start({ reader: { update, refuse: fail, connection: connect }, snapshot });
  const timer = timeout === undefined
    ? undefined
    : setTimeout(() => fail(new TimedOut(timeout)), Math.min(timeout * 1000, LONGEST_TIMER));
  signal?.addEventListener('abort', finish);
  queueMicrotask(begin);

  return {
    get snapshot() { return snapshot; },
    get connection() { return connection; },
    get verified() { return snapshot && verified(snapshot); },
    on,
    close: finish,
    next,
    return: leave,
    [Symbol.asyncIterator]() { return this; },
  };

  /** Tells of what was known before: whoever watches has had the time to listen. */
  function begin() {
    if (signal?.aborted) finish();
    else if (snapshot) show(snapshot);
  }

  /** @param {import('./model.js').Update} received @param {Snapshot | null} folded */
  function update(received, folded) {
    if (over || !folded) return;
    tell('update', received, folded);
    if (folded !== snapshot) show(folded);
  }

  /** @param {Snapshot} newest */
  function show(newest) {
    if (over) return;
    snapshot = newest;
    shown = true;
    if (reading && unread.length === MOST_WAITING) unread[MOST_WAITING - 1] = newest;
    else if (reading) unread.push(newest);
    tell('snapshot', newest);
    if (hasEnded(newest)) {
      tell('end', newest);
      finish();
    }
    wake();
  }

  /** @param {import('./model.js').Connection} now */
  function connect(now) {
    if (now === connection || over) return;
    connection = now;
    tell('connection', now);
  }

  /** @param {Error} error */
  function fail(error) {
    if (over) return;
    failure = error;
    finish();
    tell('error', error);
  }

  function finish() {
    if (over) return;
    connect('closed');
    over = true;
    clearTimeout(timer);
    signal?.removeEventListener('abort', finish);
    stop();
    wake();
  }

  /** @returns {Promise<IteratorResult<Snapshot, undefined>>} */
  async function next() {
    if (!reading && shown && snapshot) unread.push(snapshot);
    reading = true;
    while (!over && !unread.length) await new Promise((resolve) => { sleepers.push(resolve); });
    const value = unread.shift();
    if (value) return { done: false, value };
    if (failure) throw failure;
    return { done: true, value: undefined };
  }

  /** @returns {Promise<IteratorResult<Snapshot, undefined>>} */
  async function leave() {
    unread.length = 0;
    finish();
    return { done: true, value: undefined };
  }

  function wake() {
    for (const sleeper of sleepers.splice(0)) sleeper();
  }

  /** @type {import('./model.js').Watch['on']} */
  function on(type, listener) {
    const known = listeners.get(type) ?? new Set();
    listeners.set(type, known.add(listener));
    return () => known.delete(listener);
  }

  /** An error of one listener is the page's to hear of, and stops nothing here. @param {string} type
   * @param {unknown[]} told */
  function tell(type, ...told) {
    for (const listener of listeners.get(type) ?? []) {
      try {
        listener(...told);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }
}

/** @param {Snapshot} snapshot @returns {boolean | null} */
function verified(snapshot) {
  const proofs = Object.values(verify(snapshot));
  return proofs.length ? proofs.every(Boolean) : null;
}
