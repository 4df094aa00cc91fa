/** One connection, from its opening to its ending. */

/**
 * How a trip ended: cut; closed for good, or silent, for a reason that isn't told; further behind than it says; its
 * token no longer good; sent away by a service that stops; something left out; or, by our own will, to be begun anew.
 *
 * @typedef {'cut' | 'closed' | 'silent' | 'behind' | 'unauthorized' | 'dismissed' | 'gap' | 'anew'} Ending
 *
 * One connection, from its opening to its ending. `hear` takes what came, `alive` that anything did; `follow` is set by
 * a road on which a job can be added as it goes.
 *
 * @typedef {{places(): Map<string, string>, hear(update: import('./model.js').Update): void, alive(): void,
 *   opened(): void, lost(): void, follow: ((job: string, cursor: string) => void) | null, signal: AbortSignal}} Trip
 *
 * A way to the updates; it ends at the latest when the trip's signal aborts, and throws where the service is away.
 *
 * @typedef {{connection: 'live' | 'polling', travel(trip: Trip): Promise<Ending>}} Road
 */

/**
 * A connection to be: ended by its road, from outside, or by its watchdog when nothing comes for too long.
 *
 * @param {{patience: number, pace: import('./pace.js').Pace, places: () => Map<string, string>}} options `patience`:
 *   how many seconds the first word may take
 */
export function createTrip({ patience, pace, places }) {
  const stop = new AbortController();
  /** @type {Hearer} */
  let hearer = { hear: () => {}, connection: () => {} };
  let heardAt = Date.now();
  let heard = false;
  let lives = false;

  /** @type {Trip} */
  const trip = {
    places, hear, alive, opened: () => live(true), lost: () => live(false), follow: null, signal: stop.signal,
  };
  return { trip, over, end, check, heard: () => heard };

  /**
   * @param {Road} road @param {Hearer} whom
   * @returns {Promise<Ending>} how it ended; `cut` where the service could not be reached
   *
   * @typedef {{hear(update: import('./model.js').Update): void, connection(lives: boolean): void}} Hearer
   */
  async function over(road, whom) {
    hearer = whom;
    const watchdog = setInterval(check, Math.min(1, patience / 4) * 1000);
    try {
      const ending = await road.travel(trip);
      end(ending);
    } catch {
      end('cut');
    } finally {
      clearInterval(watchdog);
    }
    return stop.signal.reason;
  }

  /** @param {import('./model.js').Update} update */
  function hear(update) {
    if (stop.signal.aborted) return;
    if (update.event !== 'problem') {
      alive();
      live(true);
    }
    hearer.hear(update);
  }

  function alive() {
    heard = true;
    heardAt = Date.now();
  }

  /** @param {boolean} now */
  function live(now) {
    if (now !== lives && !stop.signal.aborted) hearer.connection(now);
    lives = now;
  }

  /** By the wall's clock: a machine that slept finds out as soon as it is awake. */
  function check() {
    if (Date.now() - heardAt > (heard ? pace.silence : patience) * 1000) end('silent');
  }

  /** The first ending counts. @param {Ending} ending */
  function end(ending) {
    stop.abort(ending);
  }
}
