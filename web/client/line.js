/** One connection for all jobs of a ledger: on the best road that works, with new tries, until it is closed. */

import { backOff, pause } from './pause.js';
import { read } from './roads/poll.js';
import { createTrip } from './trip.js';

/**
 * @typedef {import('./trip.js').Ending} Ending
 * @typedef {import('./trip.js').Road} Road
 */

/** @type {Ending[]} */
const UNTOLD = ['closed', 'silent', 'unauthorized']; // only asking tells why
const BARREN_TRIPS = 2; // so many in a row that brought nothing, while asking worked: this road is blocked
const JOIN_SECONDS = 0.02; // jobs that are added together are one change
const LEAVE_SECONDS = 5; // what nobody wants any more is let run for a while

/**
 * @param {{roads: Road[], ledger: import('./ledger.js').Ledger, service: import('./service.js').Service,
 *   credential: import('./credential.js').Credential, pace: import('./pace.js').Pace}} options `roads`: the best first
 *
 * @typedef {ReturnType<typeof createLine>} Line
 */
export function createLine({ roads, ledger, service, credential, pace }) {
  const closing = new AbortController();
  let at = 0;
  let barren = 0;
  let failures = 0;
  /** @type {ReturnType<typeof createTrip> | null} */
  let present = null;
  let idle = false;
  let resting = new AbortController(); // aborted to have a pause end early
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let change;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let climbing;

  travel();
  return { joined, left, anew, wake, close };

  /** Tells that the ledger has a new job. @param {string} job */
  function joined(job) {
    const entry = ledger.entries.get(job);
    if (present?.trip.follow && entry) present.trip.follow(job, entry.cursor);
    else if (idle) resting.abort();
    else due(JOIN_SECONDS);
  }

  /** Tells that the ledger has one job less. */
  function left() {
    if (ledger.entries.size === 0) anew();
    else due(LEAVE_SECONDS);
  }

  /** Begins a new connection from where the ledger stands. */
  function anew() {
    clearTimeout(change);
    change = undefined;
    present?.end('anew');
    resting.abort();
  }

  /** Looks at once whether the connection still lives, and ends a pause: the browser has come back from somewhere. */
  function wake() {
    present?.check();
    resting.abort();
  }

  function close() {
    closing.abort();
    clearTimeout(change);
    clearTimeout(climbing);
    anew();
  }

  /** @param {number} seconds */
  function due(seconds) {
    if (seconds === JOIN_SECONDS) clearTimeout(change);
    else if (change) return;
    change = setTimeout(anew, seconds * 1000);
  }

  async function travel() {
    while (!closing.signal.aborted) {
      resting = new AbortController();
      idle = ledger.entries.size === 0;
      if (idle) await aborted(resting.signal);
      else await go(roads[at]);
    }
  }

  /** @param {Road} road */
  async function go(road) {
    present = createTrip({ patience: patienceOn(road), pace, places: ledger.places });
    const { end, heard, over } = present;
    const ending = await over(road, {
      hear(update) {
        if (update.id) failures = 0;
        if (!ledger.take(update)) end('gap');
        else if (ledger.entries.size === 0) end('anew');
      },
      connection: (lives) => ledger.tell(lives ? road.connection : 'reconnecting'),
    });
    present = null;
    if (heard()) barren = 0;
    if (heard() && road.connection === 'polling') failures = 0; // that nothing is new is an answer too
    if (ending !== 'anew' && ledger.entries.size > 0) await recover(ending, heard());
  }

  /** How many seconds the first word may take. @param {Road} road */
  function patienceOn(road) {
    if (road.connection === 'polling') return pace.hold + pace.request;
    return Array.from(ledger.places().values()).includes('') ? pace.first : pace.resumed;
  }

  /** @param {Ending} ending @param {boolean} heard whether anything at all came on the trip */
  async function recover(ending, heard) {
    ledger.tell('reconnecting');
    try {
      const replaced = ending === 'unauthorized' && (await credential.replace(await credential.get()));
      if (!replaced && (!heard || UNTOLD.includes(ending))) await ask();
      if (!replaced && !heard) stepDown(ending === 'silent' ? BARREN_TRIPS : 1);
    } catch {
      // The service is away: whichever road, it must come back first.
    }
    const seconds = ending === 'dismissed' ? Math.random() * pace.spread : backOff(failures, pace);
    if (ledger.entries.size > 0) await pause(seconds, resting.signal);
    failures += 1;
  }

  /** How each job stands; throws where the service can't be asked. */
  async function ask() {
    const hear = ledger.take;
    for (const [job, cursor] of ledger.places()) {
      await read(job, cursor, { service, asking: { credential, signal: closing.signal }, hear });
    }
  }

  /** @param {number} trips that brought nothing */
  function stepDown(trips) {
    barren += trips;
    if (barren < BARREN_TRIPS || at === roads.length - 1) return;
    barren = 0;
    at += 1;
    climbLater();
  }

  function climbLater() {
    clearTimeout(climbing);
    climbing = setTimeout(climb, pace.climb * 1000 * (0.5 + Math.random() / 2));
  }

  /** Tries the better roads beside the present one, and changes over to the first that works. */
  async function climb() {
    for (let better = 0; better < at; better += 1) {
      if (!(await leads(roads[better])) || better >= at) continue;
      at = better;
      barren = 0;
      anew();
      break;
    }
    if (at > 0 && !closing.signal.aborted) climbLater();
  }

  /** Whether the road brings a snapshot, which is due at once. @param {Road} road */
  async function leads(road) {
    const [job] = ledger.entries.keys();
    if (!job) return false;
    const { end, over } = createTrip({ patience: pace.first, pace, places: () => new Map([[job, '']]) });
    const stop = () => end('anew');
    let brought = false;
    closing.signal.addEventListener('abort', stop);
    const hear = (/** @type {import('./model.js').Update} */ { id }) => {
      brought ||= id !== '';
      if (brought) stop();
    };
    await over(road, { hear, connection: () => {} });
    closing.signal.removeEventListener('abort', stop);
    return brought;
  }
}

/** @param {AbortSignal} signal */
function aborted(signal) {
  return new Promise((resolve) => { signal.addEventListener('abort', resolve); });
}
