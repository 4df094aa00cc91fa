/** The wires of this tab: the browser's own EventSource and WebSocket, noted for as long as they are open. */

/**
 * `EventSource` and `WebSocket` are for `createClient`. `roadOf` says by what a job's updates come just now; undefined
 * where nothing comes.
 *
 * @param {{EventSource: typeof EventSource, WebSocket: typeof WebSocket}} browser
 *
 * @typedef {'EventSource' | 'WebSocket' | 'polling' | 'another tab'} Road
 */
export function createTap(browser) {
  const streams = new Set();
  const sockets = new Set();

  class TappedStream extends browser.EventSource {
    constructor(url) {
      super(url);
      streams.add(this);
    }

    close() {
      streams.delete(this);
      super.close();
    }
  }

  class TappedSocket extends browser.WebSocket {
    constructor(url, protocol) {
      super(url, protocol);
      sockets.add(this);
      this.addEventListener('close', () => sockets.delete(this));
    }
  }

  return { EventSource: TappedStream, WebSocket: TappedSocket, roadOf };

  /** @param {string} jobId @param {import('./client.js').Connection} connection @returns {Road | undefined} */
  function roadOf(jobId, connection) {
    if (connection === 'polling') return 'polling';
    if (connection !== 'live') return undefined;
    if (Array.from(streams).some(({ url }) => url.includes(jobId))) return 'EventSource';
    return sockets.size > 0 ? 'WebSocket' : 'another tab';
  }
}
