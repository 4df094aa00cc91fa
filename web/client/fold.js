/** What an update does to a snapshot, and how to prove that nothing is missing: pure functions. */

/**
 * @typedef {{input_tokens: number, output_tokens: number, cost: number | null}} Usage
 * @typedef {{type: string, title: string, detail: string, retryable: boolean}} JobError
 * @typedef {'pending' | 'running' | 'completed' | 'failed' | 'cancelled'} PartState
 * @typedef {{state: PartState, text: string, model: string | null, attempt: number, result: unknown,
 *   error: JobError | null, usage: Usage | null, elapsed: number | null, first_token: number | null,
 *   length: number | null, sha256: string | null}} Part
 * @typedef {{name: string, state: string, attempt: number, started_at: string, finished_at: string | null}} Step
 * @typedef {{id: string, kind: string, state: string, run: number, seq: number, cursor: string, attempt: number,
 *   max_attempts: number, started_at: string | null, finished_at: string | null, next_attempt_at: string | null,
 *   expires_at: string | null, elapsed: number | null, progress: Record<string, unknown>,
 *   parts: Record<string, Part>, steps: Step[], result: unknown, error: JobError | null}} Snapshot
 * @typedef {{id: string, event: string, data: any}} Update
 */

/** @type {Readonly<Part>} */
const UNTOLD = Object.freeze({
  state: 'pending', text: '', model: null, attempt: 0, result: null, error: null,
  usage: null, elapsed: null, first_token: null, length: null, sha256: null,
});

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
 * The snapshot that polling would have returned after this update; the same one for an update type it doesn't know.
 *
 * With the update's `id` it also moves `seq` and `cursor`. Nothing is changed in place, so parts that an update
 * doesn't touch stay the same objects.
 *
 * @param {Snapshot | null} snapshot null before the first `snapshot` update
 * @param {string} event
 * @param {any} data
 * @param {string} [id]
 * @returns {Snapshot} null as long as there was no `snapshot` update
 */
export function fold(snapshot, event, data, id) {
  if (!Object.hasOwn(folds, event)) return /** @type {Snapshot} */ (snapshot);
  const folded = folds[event](snapshot, data);
  return id && event !== 'snapshot' ? { ...folded, cursor: id, seq: Number(id.split('-')[1]) } : folded;
}

/**
 * Whether an update goes on exactly where the snapshot stands; false: something between them is missing.
 *
 * @param {Snapshot | null} snapshot
 * @param {Update} update
 * @returns {boolean}
 */
export function follows(snapshot, { event, data }) {
  if (event === 'snapshot' || !Object.hasOwn(folds, event)) return true;
  if (!snapshot) return false;
  return event !== 'delta' || data.at === textOf(snapshot, data.part).length;
}

/**
 * For each part that carries its length and SHA-256, whether its text has them.
 *
 * Parts that can't be proven are left out: those that didn't end by themselves, and all of them on a page that the
 * browser gives no `crypto.subtle` (plain HTTP on another host than this one).
 *
 * @param {Snapshot} snapshot
 * @returns {Promise<Record<string, boolean>>}
 */
export async function verify(snapshot) {
  const provable = globalThis.crypto?.subtle
    ? Object.entries(snapshot.parts).filter(([, part]) => part.sha256 !== null && part.length !== null)
    : [];
  const proofs = provable.map(async ([name, part]) => [
    name, part.text.length === part.length && (await sha256(part.text)) === part.sha256,
  ]);
  return Object.fromEntries(await Promise.all(proofs));
}

function foldState(snapshot, { reason, from, ...changes }) {
  const next = { ...snapshot, ...changes };
  if (!(changes.run > snapshot.run)) return next;
  const begun = { ...next, result: null, finished_at: null, expires_at: null, progress: {} };
  return from === 'start' ? { ...begun, steps: [], parts: {} } : begun;
}

function foldEnd(snapshot, { parts, ...changes }) {
  const steps = snapshot.steps.map((step) => (step.state === 'running' ? { ...step, state: 'failed' } : step));
  const ended = { ...snapshot, ...changes, next_attempt_at: null, steps };
  return Object.entries(parts ?? {}).reduce((next, [name, changed]) => withPart(next, name, changed), ended);
}

function withPart(snapshot, name, changes) {
  return { ...snapshot, parts: { ...snapshot.parts, [name]: { ...(snapshot.parts[name] ?? UNTOLD), ...changes } } };
}

function textOf(snapshot, part) {
  return snapshot.parts[part]?.text ?? '';
}

function replaceByName(steps, step) {
  return steps.some(({ name }) => name === step.name)
    ? steps.map((known) => (known.name === step.name ? step : known))
    : [...steps, step];
}

async function sha256(text) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
