/** Server-sent events for as long as somebody looks: a hidden tab holds none of the browser's few connections. */

/**
 * Listens until the returned function is called. EventSource mends a cut by itself (`lost`, then `live`); one that is
 * refused or has nothing more to come is `closed`, and asked for again after `againSeconds` if those are given.
 *
 * @typedef {{type: string, data: string, lastEventId: string}} Heard
 *
 * @param {() => string} url asked anew for each connection
 * @param {{types: string[], hear: (heard: Heard) => void, connection?: (state: 'live' | 'lost' | 'closed') => void,
 *   againSeconds?: number}} how
 * @returns {() => void}
 */
export function listen(url, { types, hear, connection = () => {}, againSeconds }) {
  const stopping = new AbortController();
  let source = null;
  let timer;
  document.addEventListener('visibilitychange', look, { signal: stopping.signal });
  look();

  return () => {
    stopping.abort();
    close();
  };

  function look() {
    if (document.visibilityState === 'hidden') close();
    else open();
  }

  function open() {
    close();
    source = new EventSource(url());
    for (const type of types) source.addEventListener(type, hear);
    source.addEventListener('open', () => connection('live'));
    source.addEventListener('error', lose);
  }

  function lose() {
    if (source.readyState !== EventSource.CLOSED) {
      connection('lost');
      return;
    }
    connection('closed');
    if (againSeconds && !stopping.signal.aborted) timer = setTimeout(look, againSeconds * 1000);
  }

  function close() {
    clearTimeout(timer);
    source?.close();
  }
}
