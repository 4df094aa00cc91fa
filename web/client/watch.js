/** Watching one job until it has ended, over whatever wire works. */

import { ApiError } from './errors.js';
import { fold, follows } from './fold.js';
import { pause } from './pause.js';

const TERMINAL = ['completed', 'failed', 'cancelled'];
const BARREN_STREAMS = 2; // so many in a row that brought nothing, while asking worked: streaming can't be had here
const FIRST_BACK_OFF_SECONDS = 0.25;
const LONGEST_BACK_OFF_SECONDS = 30;

/**
 * The snapshot after each update, from the sources given; each is called with a cursor and yields updates.
 *
 * @param {{stream: Source | null, poll: Source, once: Source}} sources `once` yields one snapshot, or throws why not
 * @param {{after: Snapshot | null, signal: AbortSignal, onUpdate: (update: import('./fold.js').Update) => void,
 *   onConnection: (connection: Connection) => void}} options
 * @returns {AsyncGenerator<Snapshot, void>}
 *
 * @typedef {import('./fold.js').Snapshot} Snapshot
 * @typedef {(after: string) => AsyncIterable<import('./fold.js').Update>} Source
 * @typedef {'connecting' | 'live' | 'reconnecting' | 'polling' | 'closed'} Connection
 */
export async function* watched({ stream, poll, once }, { after, signal, onUpdate, onConnection }) {
  let snapshot = after;
  let cursor = after?.cursor ?? '';
  let ended = false;
  let heard = false; // anything at all on the present source
  let barren = stream ? 0 : BARREN_STREAMS;
  let failures = 0;

  onConnection('connecting');
  try {
    while (!ended && !signal.aborted) {
      try {
        yield* barren < BARREN_STREAMS ? tryStream() : fallBack();
      } catch (error) {
        if (error instanceof ApiError && !error.transient) throw error;
        failures += 1;
      }
      if (!ended) await pause(backOff(failures), signal);
    }
  } finally {
    onConnection('closed');
  }

  async function* tryStream() {
    heard = false;
    const whole = yield* follow(stream);
    if (ended || signal.aborted) return;
    onConnection('reconnecting');
    const streams = heard;
    if (whole) yield* follow(once); // EventSource hides why it closed: ended, refused or cut
    barren = streams ? 0 : barren + 1;
  }

  async function* fallBack() {
    onConnection('polling');
    yield* follow(poll);
  }

  /** Folds what a source yields; false as soon as it left something out, and then only a fresh snapshot will do. */
  async function* follow(source) {
    for await (const update of source(cursor)) {
      heard = true;
      onUpdate(update);
      if (update.event === 'problem') refuse(update.data);
      if (!follows(snapshot, update)) {
        cursor = '';
        return false;
      }
      const folded = fold(snapshot, update.event, update.data, update.id);
      if (folded === snapshot) continue;
      snapshot = folded;
      ({ cursor } = snapshot);
      failures = 0;
      ended = TERMINAL.includes(snapshot.state);
      yield snapshot;
      if (ended) return true;
    }
    return true;
  }
}

/** A transient problem is followed by a close and EventSource comes back by itself, at the server's pace. */
function refuse(problem) {
  const error = new ApiError(problem.status, problem);
  if (!error.transient) throw error;
}

function backOff(failures) {
  const seconds = Math.min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2 ** failures);
  return seconds * 1000 * (0.5 + Math.random() / 2);
}
