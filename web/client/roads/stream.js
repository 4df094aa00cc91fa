/** Updates by EventSource: of one job by its own stream, of several by one for all of them. */

import { pathOf } from '../service.js';
import { isWord, samePlace, seqOf, wordOf } from '../words.js';

const TYPES = ['snapshot', 'state', 'progress', 'step', 'part', 'delta', 'end', 'ping', 'bye', 'problem'];
const CLOSED = 2; // EventSource.CLOSED, which a stand-in may not name

/**
 * A cut is mended by EventSource itself the first time, at the pace that the service asked for; if that brings
 * nothing, or it is closed for good, the trip is over.
 *
 * @param {{EventSource: import('../model.js').EventSourceMaker, service: import('../service.js').Service,
 *   credential: import('../credential.js').Credential}} options
 * @returns {import('../trip.js').Road}
 */
export function streamRoad({ EventSource, service, credential }) {
  return { connection: 'live', travel };

  /** @param {import('../trip.js').Trip} trip @returns {Promise<import('../trip.js').Ending>} */
  async function travel(trip) {
    const places = trip.places();
    const token = await credential.get();
    if (trip.signal.aborted) return 'cut';
    const [only] = places.size === 1 && !isWord([...places.values()][0]) ? places.keys() : [];
    const source = new EventSource(only ? urlOfOne(only, places, token) : urlOfMany(places, token));
    const read = only ? readOne(only) : readMany;
    return new Promise((resolve) => listen(source, trip, { read, places, resolve }));
  }

  /** @param {string} job @param {Map<string, string>} places @param {string | undefined} token */
  function urlOfOne(job, places, token) {
    const after = places.get(job) ?? '';
    return service.urlOf(`${pathOf(job)}/stream`, queryOf([], after, token)).href;
  }

  /** @param {Map<string, string>} places @param {string | undefined} token */
  function urlOfMany(places, token) {
    return service.urlOf('/v1/stream', queryOf([...places.keys()], wordOf(places), token)).href;
  }
}

/**
 * @typedef {(event: string, id: string, data: any) => import('../model.js').Update} Read
 *
 * @param {import('../model.js').EventSourceLike} source
 * @param {import('../trip.js').Trip} trip
 * @param {{read: Read, places: Map<string, string>, resolve: (ending: import('../trip.js').Ending) => void}} how
 */
function listen(source, trip, { read, places, resolve }) {
  let last = '';
  let cut = false;

  for (const type of TYPES) source.addEventListener(type, hear);
  source.addEventListener('open', trip.opened);
  source.addEventListener('error', lose);
  trip.signal.addEventListener('abort', leave);

  /** @param {MessageEvent<string>} message */
  function hear({ type, data: body, lastEventId }) {
    const data = JSON.parse(body);
    const remark = type === 'ping' || type === 'bye' || type === 'problem';
    last = lastEventId || last;
    cut &&= type === 'problem';
    if (type === 'ping' && misses(data.cursor)) return end('behind');
    trip.hear(read(type, remark ? '' : last, data));
    if (type === 'bye' && data.reason === 'unauthorized') end('unauthorized');
  }

  /** Whether the service is further than what came. @param {string} newest */
  function misses(newest) {
    if (last) return last !== newest && [...places.keys()].some((job) => !samePlace(last, newest, job));
    return Array.from(places).some(([job, cursor]) => !samePlace(cursor, newest, job));
  }

  function lose() {
    trip.lost();
    if (source.readyState === CLOSED) end('closed');
    else if (cut) end('cut');
    cut = true;
  }

  function leave() {
    end('cut');
  }

  /** @param {import('../trip.js').Ending} ending */
  function end(ending) {
    source.close();
    trip.signal.removeEventListener('abort', leave);
    resolve(ending);
  }
}

/** @param {string} job @returns {Read} */
function readOne(job) {
  return (event, id, data) => ({ job, id, seq: id ? seqOf(id) : 0, event, data });
}

/** @type {Read} */
function readMany(event, id, { job = '', ...told }) {
  if (event === 'snapshot' || !id) return { job, id, seq: told.seq ?? 0, event, data: told };
  const { seq, ...data } = told;
  return { job, id, seq, event, data };
}

/** @param {string[]} jobs @param {string} after @param {string | undefined} token @returns {[string, string][]} */
function queryOf(jobs, after, token) {
  return [
    ...jobs.map((job) => /** @type {[string, string]} */ (['job', job])),
    .../** @type {[string, string][]} */ (after ? [['after', after]] : []),
    .../** @type {[string, string][]} */ (token ? [['token', token]] : []),
  ];
}
