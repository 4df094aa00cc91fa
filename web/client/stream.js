/** The updates of one job over one EventSource. */

const TYPES = ['snapshot', 'state', 'progress', 'step', 'part', 'delta', 'end', 'ping', 'bye', 'problem'];
const FIRST_SECONDS = 20; // the server pings after 15 s of silence
const SILENCE_SECONDS = 40;
const INBOX_UPDATES = 1000;
const CLOSED = 2; // EventSource.CLOSED, which a stand-in may not name

/**
 * Updates in order, each once, until the stream can't be trusted to go on: closed for good, silent, or further behind
 * than it says. Then it ends, and whoever reads goes on from the last cursor on a new one.
 *
 * A cut that EventSource mends by itself is only told to `onConnection`.
 *
 * @param {string} url
 * @param {{EventSource: typeof globalThis.EventSource, after: string, signal: AbortSignal,
 *   onConnection: (connection: 'live' | 'reconnecting') => void}} options
 * @returns {AsyncGenerator<import('./fold.js').Update, void>}
 */
export async function* streamed(url, { EventSource, after, signal, onConnection }) {
  const inbox = createInbox(INBOX_UPDATES);
  const source = new EventSource(url);
  let watchdog = setTimeout(inbox.close, FIRST_SECONDS * 1000);

  const hear = (type) => (message) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(inbox.close, SILENCE_SECONDS * 1000);
    inbox.put({ id: message.lastEventId || after, event: type, data: message.data });
  };
  for (const type of TYPES) source.addEventListener(type, hear(type));
  source.addEventListener('open', () => onConnection('live'));
  source.addEventListener('error', () => {
    onConnection('reconnecting');
    if (source.readyState === CLOSED) inbox.close();
  });
  signal.addEventListener('abort', inbox.close);

  try {
    for await (const { id, event, data } of inbox) {
      const update = { id, event, data: JSON.parse(data) };
      yield update;
      if (event === 'ping' && update.data.cursor !== id) return; // an update was lost on its way here
    }
  } finally {
    source.close();
    clearTimeout(watchdog);
    signal.removeEventListener('abort', inbox.close);
  }
}

/** A queue that ends when it is closed, or overflows: what it then drops is read again from the cursor. */
function createInbox(size) {
  const waiting = [];
  let closed = false;
  /** @type {(value?: unknown) => void} */
  let wake = () => {};

  function close() {
    closed = true;
    wake();
  }

  function put(item) {
    if (closed) return;
    if (waiting.length === size) return close();
    waiting.push(item);
    wake();
  }

  async function* take() {
    for (;;) {
      while (waiting.length) yield waiting.shift();
      if (closed) return;
      await new Promise((resolve) => { wake = resolve; });
    }
  }

  return { put, close, [Symbol.asyncIterator]: take };
}
