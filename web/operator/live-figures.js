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
  let trustedUntil = performance.now() + FIRST_SECONDS * 1000;
  const stop = listen(() => '/v1/operator/stream', {
    types: ['figures', 'ping', 'bye'], hear, connection: changed, againSeconds: ASK_SECONDS,
  });
  askWhenSilent();

  return () => {
    stopping.abort();
    stop();
  };

  function hear({ type, data }) {
    trustedUntil = performance.now() + SILENCE_SECONDS * 1000;
    if (type === 'figures') show.figures(JSON.parse(data));
    show.connection('live');
  }

  function changed(state) {
    trustedUntil = state === 'live' ? performance.now() + FIRST_SECONDS * 1000 : 0;
    if (state !== 'live') waiting.abort();
  }

  async function askWhenSilent() {
    while (!stopping.signal.aborted) {
      waiting = new AbortController();
      await pause(ASK_SECONDS, AbortSignal.any([stopping.signal, waiting.signal]));
      const silent = performance.now() > trustedUntil;
      if (silent && document.visibilityState === 'visible' && !stopping.signal.aborted) await ask();
    }
  }

  async function ask() {
    try {
      show.figures(await operator.figures());
      show.connection('polling');
    } catch (error) {
      if (error.status === 401 || error.status === 403) show.refused();
      else show.connection('offline');
    }
  }
}
