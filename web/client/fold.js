/** What an update does to a snapshot, and how to prove that nothing is missing: pure functions. */

import { hexDigest } from './sha256.js';

/**
 * @typedef {import('./model.js').Snapshot} Snapshot
 * @typedef {import('./model.js').Part} Part
 * @typedef {import('./model.js').Step} Step
 */

const TERMINAL = ['completed', 'failed', 'cancelled'];

/** @type {Readonly<Part>} */
const UNTOLD = Object.freeze({
  state: 'pending', text: '', model: null, attempt: 0, result: null, error: null,
  usage: null, elapsed: null, first_token: null, length: null, sha256: null,
});

/** @type {Record<string, (snapshot: Snapshot, data: any) => Snapshot>} */
const folds = {
  snapshot: (_, { reason, ...snapshot }) => snapshot,
  state: foldState,
  progress: (snapshot, data) => ({ ...snapshot, progress: { ...snapshot.progress, ...data } }),
  step: (snapshot, data) => ({ ...snapshot, steps: replaceByName(snapshot.steps, data) }),
  part: (snapshot, { part, ...changes }) => withPart(snapshot, part, changes),
  delta: (snapshot, { part, text }) => withPart(snapshot, part, { text: textOf(snapshot, part) + text }),
  end: foldEnd,
};

/**
 * The snapshot that polling would have returned after this update; of an update type that it doesn't know only the
 * place is taken over.
 *
 * Nothing is changed in place, so parts that an update doesn't touch stay the same objects.
 *
 * @param {Snapshot | null} snapshot null before the first `snapshot` update
 * @param {string} event
 * @param {any} data
 * @param {{id: string, seq: number}} [place] where it leads to; none: seq and cursor stay
 * @returns {Snapshot} null as long as there was no `snapshot` update
 */
export function fold(snapshot, event, data, place) {
  const before = /** @type {Snapshot} */ (snapshot);
  const folded = Object.hasOwn(folds, event) ? folds[event](before, data) : before;
  return place && folded && event !== 'snapshot' ? { ...folded, cursor: place.id, seq: place.seq } : folded;
}

/**
 * Whether an update goes on exactly where the snapshot stands; false: something between them is missing.
 *
 * @param {Snapshot | null} snapshot
 * @param {{event: string, data: any}} update
 * @returns {boolean}
 */
export function follows(snapshot, { event, data }) {
  if (event === 'snapshot' || !Object.hasOwn(folds, event)) return true;
  if (!snapshot) return false;
  return event !== 'delta' || data.at === textOf(snapshot, data.part).length;
}

/**
 * For each part that carries its length and SHA-256, whether its text has them; parts that didn't end by themselves
 * carry none.
 *
 * @param {Snapshot} snapshot
 * @returns {Record<string, boolean>}
 */
export function verify(snapshot) {
  const parts = Object.entries(snapshot.parts);
  const provable = parts.filter(([, { length, sha256 }]) => length !== null && sha256 !== null);
  return Object.fromEntries(provable.map(([name, part]) => [name, isWhole(part)]));
}

/** @type {WeakMap<Part, boolean>} */
const proofs = new WeakMap(); // a part that doesn't change stays the same object, and is proven once

/** @param {Part} part */
function isWhole(part) {
  const whole = proofs.get(part) ?? (part.text.length === part.length && hexDigest(part.text) === part.sha256);
  proofs.set(part, whole);
  return whole;
}

/** @param {Snapshot | null} snapshot @returns {boolean} */
export function hasEnded(snapshot) {
  return snapshot !== null && TERMINAL.includes(snapshot.state);
}

/** @param {Snapshot} snapshot @param {any} data @returns {Snapshot} */
function foldState(snapshot, { reason, from, ...changes }) {
  const next = { ...snapshot, ...changes };
  if (!(changes.run > snapshot.run)) return next;
  const begun = { ...next, result: null, finished_at: null, expires_at: null, progress: {} };
  return from === 'start' ? { ...begun, steps: [], parts: {} } : begun;
}

/** @param {Snapshot} snapshot @param {any} data @returns {Snapshot} */
function foldEnd(snapshot, { parts, ...changes }) {
  const steps = snapshot.steps.map((step) => (step.state === 'running' ? { ...step, state: 'failed' } : step));
  const ended = { ...snapshot, ...changes, next_attempt_at: null, steps };
  return Object.entries(parts ?? {}).reduce((next, [name, changed]) => withPart(next, name, changed), ended);
}

/** @param {Snapshot} snapshot @param {string} name @param {Partial<Part>} changes @returns {Snapshot} */
function withPart(snapshot, name, changes) {
  return { ...snapshot, parts: { ...snapshot.parts, [name]: { ...partOf(snapshot, name), ...changes } } };
}

/** @param {Snapshot} snapshot @param {string} part */
function textOf(snapshot, part) {
  return partOf(snapshot, part).text;
}

/** A part by any name, `__proto__` too. @param {Snapshot} snapshot @param {string} name @returns {Part} */
function partOf({ parts }, name) {
  return Object.hasOwn(parts, name) ? parts[name] : UNTOLD;
}

/** @param {Step[]} steps @param {Step} step */
function replaceByName(steps, step) {
  return steps.some(({ name }) => name === step.name)
    ? steps.map((known) => (known.name === step.name ? step : known))
    : [...steps, step];
}
