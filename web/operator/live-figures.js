/** The service's figures as they change: by its stream, and by asking wherever that does not get through. */

import { pause } from '../client/pause.js';
import { listen } from './events.js';

const FIRST_SECONDS = 6;
const SILENCE_SECONDS = 40; // the service pings after 15 s
const ASK_SECONDS = 3;

/**
 * Shows the figures and how they come until the returned function is called. `offline`: neither a stream nor an answer;
 * what was shown last is old.
 *
 * @typedef {'connecting' | 'live' | 'polling' | 'offline'} Connection
 *
 * @param {import('./operator.js').Operator} operator
 * @param {{figures: (figures: object) => void, connection: (connection: Connection) => void, refused: () => void}} show
 * @returns {() => void}
 */
export function followFigures(operator, show) {
  const stopping = new AbortController();
  let waiting = new AbortController();
  let trustedUntil = 0;
  let stop = () => {};
  begin();

  return () => {
    stopping.abort();
    stop();
  };

  /** The figures first, since a stream that is held up somewhere says nothing; then whatever brings newer ones. */
  async function begin() {
    const admitted = await ask('connecting');
    if (!admitted || stopping.signal.aborted) return;
    trust(FIRST_SECONDS);
    stop = listen(() => '/v1/operator/stream', {
      types: ['figures', 'ping', 'bye'], hear, connection: changed, againSeconds: ASK_SECONDS,
    });
    await askWhenSilent();
  }

  function hear({ type, data }) {
    trust(SILENCE_SECONDS);
    if (type === 'figures') show.figures(JSON.parse(data));
    show.connection('live');
  }

  function changed(state) {
    trust(state === 'live' ? FIRST_SECONDS : 0);
    if (state !== 'live') waiting.abort();
  }

  function trust(seconds) {
    trustedUntil = performance.now() + seconds * 1000;
  }

  async function askWhenSilent() {
    while (!stopping.signal.aborted) {
      waiting = new AbortController();
      await pause(ASK_SECONDS, AbortSignal.any([stopping.signal, waiting.signal]));
      const silent = performance.now() >= trustedUntil;
      if (silent && document.visibilityState === 'visible' && !stopping.signal.aborted) await ask('polling');
    }
  }

  /** Whether one may ask at all. @param {Connection} connection what it is when there is an answer */
  async function ask(connection) {
    try {
      const figures = await operator.figures();
      if (stopping.signal.aborted) return false;
      show.figures(figures);
      show.connection(connection);
    } catch (error) {
      const refused = error.status === 401 || error.status === 403;
      if (refused) show.refused();
      else show.connection('offline');
      return !refused;
    }
    return true;
  }
}
