/** The same by polling, for whoever can have neither stream nor socket: one held request, or rounds of short ones. */

import { isPassing } from '../errors.js';
import { pause } from '../pause.js';
import { pathOf } from '../service.js';
import { isWord } from '../words.js';

/**
 * @typedef {{service: import('../service.js').Service, credential: import('../credential.js').Credential,
 *   pace: import('../pace.js').Pace}} Polling
 *
 * @param {Polling} options
 * @returns {import('../trip.js').Road}
 */
export function pollRoad({ service, credential, pace }) {
  return { connection: 'polling', travel };

  /** @param {import('../trip.js').Trip} trip @returns {Promise<import('../trip.js').Ending>} */
  async function travel(trip) {
    trip.opened();
    while (!trip.signal.aborted) {
      const places = trip.places();
      const held = places.size === 1; // each would take one of the browser's few connections
      let seconds = held ? 0 : pace.unheld;
      for (const [job, cursor] of places) {
        const answer = await asked(job, cursor, { held, trip });
        if (held && !answer?.headers.has('Preference-Applied')) seconds = retryAfter(answer);
      }
      await pause(seconds, trip.signal);
    }
    return 'cut';
  }

  /** @param {string} job @param {string} cursor @param {{held: boolean, trip: import('../trip.js').Trip}} how */
  async function asked(job, cursor, { held, trip }) {
    const headers = held ? { Prefer: `wait=${pace.hold}` } : undefined;
    const seconds = held ? pace.hold : 0;
    const asking = { credential, headers, seconds, signal: trip.signal };
    return read(job, cursor, { service, asking, hear: trip.hear, alive: trip.alive });
  }

  /** @param {Response | undefined} answer */
  function retryAfter(answer) {
    return Number(answer?.headers.get('Retry-After') ?? pace.unheld);
  }
}

/**
 * One job as it is now, as a `snapshot` update if it has changed, or as the `problem` that it can't be read for; throws
 * where the service is away.
 *
 * @param {string} job @param {string} cursor
 * @param {{service: import('../service.js').Service, asking: import('../service.js').Asking,
 *   hear: (update: import('../model.js').Update) => void, alive?: () => void}} how
 * @returns {Promise<Response | undefined>} the answer, if it was none of a refusal
 */
export async function read(job, cursor, { service, asking, hear, alive = () => {} }) {
  const known = cursor && !isWord(cursor) ? { 'If-None-Match': `W/"${cursor}"` } : null;
  try {
    const answer = await service.request(pathOf(job), { ...asking, headers: { ...asking.headers, ...known } });
    const told = { job, event: 'snapshot' };
    if (answer.status === 304) alive();
    else hear({ ...told, ...placed(await answer.json()) });
    return answer;
  } catch (error) {
    if (isPassing(error)) throw error;
    const { status, problem } = /** @type {import('../errors.js').ApiError} */ (error);
    hear({ job, id: '', seq: 0, event: 'problem', data: { ...problem, status } });
    return undefined;
  }
}

/** @param {import('../model.js').Snapshot} snapshot */
function placed(snapshot) {
  return { id: snapshot.cursor, seq: snapshot.seq, data: snapshot };
}
