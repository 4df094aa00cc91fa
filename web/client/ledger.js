/** What is followed: of each job its snapshot, its place, and who wants to hear of it. */

import { ApiError } from './errors.js';
import { fold, follows, hasEnded, verify } from './fold.js';

/**
 * Who hears of a job: of each update that came, why it can't be read, and how the updates come.
 *
 * @typedef {{update(update: Update, snapshot: Snapshot | null): void, refuse(error: Error, job: string): void,
 *   connection(connection: import('./model.js').Connection): void}} Reader
 *
 * Of a job that is only handed on there may be no snapshot, only the cursor to go on from. `doubted`: a text of it was
 * found not to be what it should, and isn't asked for once more.
 *
 * @typedef {{cursor: string, snapshot: Snapshot | null, readers: Set<Reader>, doubted?: boolean}} Entry
 * @typedef {import('./model.js').Snapshot} Snapshot
 * @typedef {import('./model.js').Update} Update
 * @typedef {ReturnType<typeof createLedger>} Ledger
 */

export function createLedger() {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  /** @type {import('./model.js').Connection} */
  let connection = 'connecting';

  return { entries, get connection() { return connection; }, places, add, remove, take, refuse, tell };

  /** @returns {Map<string, string>} the cursor of each job; empty: a snapshot is needed */
  function places() {
    return new Map(Array.from(entries, ([job, { cursor }]) => [job, cursor]));
  }

  /**
   * @param {string} job @param {Reader} reader
   * @param {{cursor?: string, snapshot?: Snapshot | null}} [place] where the reader is; it counts for a new job only
   * @returns {Entry}
   */
  function add(job, reader, { snapshot = null, cursor = snapshot?.cursor ?? '' } = {}) {
    const entry = entries.get(job) ?? { cursor, snapshot, readers: new Set() };
    entries.set(job, entry);
    entry.readers.add(reader);
    return entry;
  }

  /** @param {string} job @param {Reader} reader */
  function remove(job, reader) {
    const entry = entries.get(job);
    entry?.readers.delete(reader);
    if (entry?.readers.size === 0) entries.delete(job);
  }

  /**
   * Folds one update and hands it on; false where something before it is missing, and then only a snapshot will do.
   *
   * @param {Update} update
   * @returns {boolean}
   */
  function take(update) {
    const entry = entries.get(update.job);
    if (!entry) return true;
    if (!update.id) return remark(entry, update);
    if (isKnown(entry, update)) return true;
    const held = entry.snapshot || update.event === 'snapshot';
    const whole = !held || (follows(entry.snapshot, update) && isProven(entry, update));
    if (!whole) {
      entry.cursor = '';
      return false;
    }
    hold(entry, update);
    if (hasEnded(entry.snapshot) || update.event === 'end') entries.delete(update.job);
    for (const reader of [...entry.readers]) reader.update(update, entry.snapshot);
    return true;
  }

  /** @param {Entry} entry @param {Update} update what is no entry of the log */
  function remark(entry, update) {
    for (const reader of [...entry.readers]) reader.update(update, entry.snapshot);
    if (update.event === 'problem') {
      const error = new ApiError(update.data.status, update.data);
      if (!error.transient) refuse(update.job, error);
    }
    return true;
  }

  /** @param {string} job @param {Error} error why it can't be read */
  function refuse(job, error) {
    const entry = entries.get(job);
    entries.delete(job);
    for (const reader of entry?.readers ?? []) reader.refuse(error, job);
  }

  /** @param {import('./model.js').Connection} now */
  function tell(now) {
    connection = now;
    for (const { readers } of entries.values()) for (const reader of readers) reader.connection(connection);
  }
}

/** @param {Entry} entry @param {Update} update */
function hold(entry, update) {
  const { event, data, id } = update;
  if (entry.snapshot || event === 'snapshot') entry.snapshot = fold(entry.snapshot, event, data, update);
  entry.cursor = event === 'snapshot' ? data.cursor : id;
}

/** Whether it came before: only a snapshot may go back. @param {Entry} entry @param {Update} update */
function isKnown({ snapshot, cursor }, { event, seq, data }) {
  if (!snapshot) return false;
  return event === 'snapshot' ? data.cursor === cursor : seq <= snapshot.seq;
}

/** Whether the texts that this update finishes are whole. @param {Entry} entry @param {Update} update */
function isProven(entry, { event, data }) {
  const finishes = event === 'end' || (event === 'part' && data.sha256);
  if (!finishes || !entry.snapshot || entry.doubted) return true;
  entry.doubted = !Object.values(verify(fold(entry.snapshot, event, data))).every(Boolean);
  return !entry.doubted;
}
