/**
 * The client of a Jobstream service: submit a job, watch it live, cancel it, run it again. It is served and published
 * as it stands, for browsers and for Node.
 */

import { createCredential } from './client/credential.js';
import { ApiError, TimedOut } from './client/errors.js';
import { fold, hasEnded, verify } from './client/fold.js';
import { createMemory, storageOfTab } from './client/memory.js';
import { PACE } from './client/pace.js';
import { createReading } from './client/reading.js';
import { createService, pathOf } from './client/service.js';
import { createWatch } from './client/watch.js';

export { ApiError, fold, TimedOut, verify };

/**
 * @typedef {import('./client/model.js').Snapshot} Snapshot
 * @typedef {import('./client/model.js').Part} Part
 * @typedef {import('./client/model.js').Update} Update
 * @typedef {import('./client/model.js').Connection} Connection
 * @typedef {import('./client/model.js').Watch} Watch
 * @typedef {import('./client/model.js').Client} Client
 * @typedef {import('./client/model.js').ClientOptions} ClientOptions
 * @typedef {import('./client/model.js').SubmitOptions} SubmitOptions
 * @typedef {import('./client/model.js').WatchOptions} WatchOptions
 */

/**
 * A client of one service: the one named, or in Node that of `JOBSTREAM_URL`, or that of the page. Without a token it
 * relies on the cookie of the page, in Node on `JOBSTREAM_TOKEN` or the service secret.
 *
 * @param {ClientOptions} [options]
 * @returns {Client}
 */
export function createClient(options = {}) {
  const {
    baseUrl = fromEnvironment('JOBSTREAM_URL') ?? globalThis.location?.origin ?? 'http://localhost:8888',
    token = fromEnvironment('JOBSTREAM_TOKEN') ?? fromEnvironment('BACKGROUND_FUNCTION_AUTH_TOKEN')?.split(',')[0],
    fetch = globalThis.fetch.bind(globalThis),
    EventSource = globalThis.EventSource ?? null,
    WebSocket = globalThis.WebSocket ?? null,
    memory: storage = storageOfTab(),
    locks = globalThis.document ? globalThis.navigator.locks ?? null : null,
    share = true,
  } = options;
  const pace = { ...PACE, ...options.pace };
  const inPage = Boolean(globalThis.document);
  const service = createService({ baseUrl, fetch, pace });
  const credential = createCredential(token);
  const memory = createMemory(`jobstream:${baseUrl}:`, storage);
  const group = share === true ? baseUrl : share || '';
  const reading = createReading({
    service, credential, pace, EventSource, WebSocket, locks, inPage, share: group && `jobstream:${group}`,
  });
  /** @type {Map<Watch, string>} */
  const watches = new Map();
  const ignore = listenToPage({ wake: reading.wake, enter: reading.enter, leave, keep });

  return { submit, get, watch, cancel, retry, unfinished: memory.jobs, close };

  /** @type {Client['submit']} */
  async function submit(kind, input, more = {}) {
    const body = JSON.stringify({ ...more, idempotency_key: more.idempotency_key ?? randomKey(), kind, input });
    return (await service.persist('/v1/jobs', posting(body))).json();
  }

  /** @type {Client['get']} */
  async function get(job, { signal } = {}) {
    return (await service.request(pathOf(job), { credential, signal })).json();
  }

  /** @type {Client['cancel']} */
  async function cancel(job) {
    return (await service.request(`${pathOf(job)}/cancel`, posting())).json();
  }

  /** @type {Client['retry']} */
  async function retry(job, how = {}) {
    return (await service.request(`${pathOf(job)}/retry`, posting(JSON.stringify(how)))).json();
  }

  /** @type {Client['watch']} */
  function watch(job, { after = memory.recall(job), token: own, signal, timeout } = {}) {
    const brought = own === undefined ? undefined : createCredential(own, (old) => renewed(job, old));
    const place = after && withoutToken(after);
    const started = createWatch({
      after: place,
      signal,
      timeout,
      start: ({ reader, snapshot }) => (
        hasEnded(snapshot) ? () => {} : reading.start(job, reader, { snapshot, credential: brought })
      ),
    });
    watches.set(started, job);
    memory.keep(job, place);
    started.on('end', () => memory.forget(job));
    started.on('error', (error) => { if (error instanceof ApiError) memory.forget(job); });
    started.on('connection', (connection) => { if (connection === 'closed') watches.delete(started); });
    return started;
  }

  /** @param {string} job @param {string} old its stream token @returns {Promise<string>} */
  async function renewed(job, old) {
    const answer = await service.request(`${pathOf(job)}/token`, { credential: createCredential(old), method: 'POST' });
    return (await answer.json()).token;
  }

  function leave() {
    keep();
    reading.leave();
  }

  function keep() {
    for (const [{ snapshot }, job] of watches) memory.keep(job, snapshot);
  }

  function close() {
    for (const each of watches.keys()) each.close();
    reading.leave();
    ignore();
  }

  /** @param {string} [body] */
  function posting(body) {
    return { credential, method: 'POST', body, headers: body ? { 'Content-Type': 'application/json' } : undefined };
  }
}

/**
 * Tells of the page's sleep and return, until the returned function is called.
 *
 * @param {{wake(): void, enter(): void, leave(): void, keep(): void}} acts
 */
function listenToPage({ wake, enter, leave, keep }) {
  if (!globalThis.document) return () => {};
  const ignoring = new AbortController();
  const { signal } = ignoring;
  const seen = () => (document.visibilityState === 'visible' ? wake() : keep());
  document.addEventListener('visibilitychange', seen, { signal });
  document.addEventListener('freeze', leave, { signal });
  document.addEventListener('resume', enter, { signal });
  addEventListener('pagehide', leave, { signal });
  addEventListener('pageshow', enter, { signal });
  addEventListener('online', wake, { signal });
  return () => ignoring.abort();
}

/** What may be kept, and told to other tabs. @param {Snapshot & {stream_token?: string}} told @returns {Snapshot} */
function withoutToken({ stream_token, ...snapshot }) {
  return snapshot;
}

/** @param {string} name @returns {string | undefined} */
function fromEnvironment(name) {
  const { process } = /** @type {{process?: {env?: Record<string, string | undefined>}}} */ (globalThis);
  return process?.env?.[name] || undefined;
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
