/** Updates by WebSocket: one for any number of jobs, which may change as it goes. */

import { isWord, samePlace, seqOf } from '../words.js';

const PROTOCOL = 'jobs.v1';
const MOST_OPS = 8; // the service takes 10 a second
const OPS_SECONDS = 1.1;
const ENDED = 1000;
const UNAUTHORIZED = 4401;

/** @type {Record<string, import('../trip.js').Ending>} */
const FAREWELLS = { shutdown: 'dismissed', rotate: 'anew', unauthorized: 'unauthorized' };

/**
 * @param {{WebSocket: import('../model.js').WebSocketMaker, service: import('../service.js').Service,
 *   credential: import('../credential.js').Credential}} options
 * @returns {import('../trip.js').Road}
 */
export function socketRoad({ WebSocket, service, credential }) {
  return { connection: 'live', travel };

  /** @param {import('../trip.js').Trip} trip @returns {Promise<import('../trip.js').Ending>} */
  async function travel(trip) {
    const token = await credential.get();
    if (trip.signal.aborted) return 'cut';
    const url = service.urlOf('/v1/ws');
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url.href, PROTOCOL);
    return new Promise((resolve) => talk(socket, trip, { token, resolve }));
  }
}

/**
 * @param {import('../model.js').WebSocketLike} socket
 * @param {import('../trip.js').Trip} trip
 * @param {{token: string | undefined, resolve: (ending: import('../trip.js').Ending) => void}} how
 */
function talk(socket, trip, { token, resolve }) {
  const paced = createPacing((/** @type {object} */ op) => socket.send(JSON.stringify(op)));
  /** @type {Map<string, string>} */
  const places = new Map();
  let opened = false;

  socket.addEventListener('open', open);
  socket.addEventListener('message', hear);
  socket.addEventListener('error', () => {}); // `close` follows, and says more
  socket.addEventListener('close', ({ code }) => end(endingOf(code)));
  trip.signal.addEventListener('abort', leave);

  function open() {
    opened = true;
    trip.opened();
    trip.follow = subscribe;
    for (const [job, cursor] of trip.places()) subscribe(job, cursor);
  }

  /** @param {string} job @param {string} cursor */
  function subscribe(job, cursor) {
    const after = cursor && !isWord(cursor) ? cursor : undefined;
    places.set(job, after ?? '');
    paced.do({ op: 'subscribe', job, after, token });
  }

  /** @param {{data: string}} message */
  function hear({ data: body }) {
    const { op, id = '', job = '', event, data, problem } = JSON.parse(body);
    if (op === 'error') return refuse(job, problem);
    if (op) return trip.alive();
    if (event === 'ping' && job && !samePlace(places.get(job) ?? '', data.cursor, job)) return end('behind');
    if (id) places.set(job, id);
    trip.hear({ job, id, seq: id ? seqOf(id) : 0, event, data });
    if (event === 'bye') return end(FAREWELLS[data.reason] ?? 'cut');
  }

  /** @param {string} job @param {import('../errors.js').Problem} problem */
  function refuse(job, problem) {
    if (problem.status === 401) end('unauthorized');
    else if (job) trip.hear({ job, id: '', seq: 0, event: 'problem', data: problem });
  }

  /** @param {number} code @returns {import('../trip.js').Ending} */
  function endingOf(code) {
    if (code === UNAUTHORIZED) return 'unauthorized';
    return opened ? 'cut' : 'closed';
  }

  function leave() {
    end('cut');
  }

  /** @param {import('../trip.js').Ending} ending */
  function end(ending) {
    trip.signal.removeEventListener('abort', leave);
    trip.follow = null;
    paced.stop();
    socket.close(ENDED);
    resolve(ending);
  }
}

/** Acts at once as long as they are few, and as soon as they may otherwise. @param {(op: object) => void} act */
function createPacing(act) {
  /** @type {object[]} */
  const waiting = [];
  let recent = 0;
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  const timers = new Set();

  return {
    /** @param {object} op */
    do(op) {
      waiting.push(op);
      go();
    },
    stop() {
      waiting.length = 0;
      for (const timer of timers) clearTimeout(timer);
    },
  };

  function go() {
    for (; waiting.length && recent < MOST_OPS; recent += 1) {
      act(/** @type {object} */ (waiting.shift()));
      const timer = setTimeout(() => {
        timers.delete(timer);
        recent -= 1;
        go();
      }, OPS_SECONDS * 1000);
      timers.add(timer);
    }
  }
}
