/** Waiting that can be called off. */

/**
 * @param {number} seconds
 * @param {AbortSignal} signal an abort ends the wait early
 * @returns {Promise<void>}
 */
export function pause(seconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/**
 * Seconds before the next try after so many failures: doubling, and never the same for two clients.
 *
 * @param {number} failures
 * @param {import('./pace.js').Pace} pace
 */
export function backOff(failures, { firstBackOff, longestBackOff }) {
  return Math.min(longestBackOff, firstBackOff * 2 ** failures) * (0.5 + Math.random() / 2);
}
