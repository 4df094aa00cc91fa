/** The client of a Jobstream service: submit a job, watch it live, cancel it. Runs in browsers and in Node. */

import { ApiError } from './client/errors.js';
import { fold, verify } from './client/fold.js';
import { polled } from './client/poll.js';
import { streamed } from './client/stream.js';
import { watched } from './client/watch.js';

export { ApiError, fold, verify };

const REQUEST_SECONDS = 10;

/**
 * A client of one service; without a token it relies on the cookie of the page it runs in.
 *
 * @param {{baseUrl?: string, token?: string, fetch?: typeof globalThis.fetch,
 *   EventSource?: typeof globalThis.EventSource}} [options]
 *
 * @typedef {import('./client/fold.js').Snapshot} Snapshot
 * @typedef {import('./client/fold.js').Part} Part
 * @typedef {import('./client/fold.js').Update} Update
 * @typedef {import('./client/watch.js').Connection} Connection
 */
export function createClient({
  baseUrl = location.origin,
  token,
  fetch = globalThis.fetch.bind(globalThis),
  EventSource = globalThis.EventSource,
} = {}) {
  /** @type {Record<string, string>} */
  const credential = token ? { Authorization: `Bearer ${token}` } : {};

  return { submit, get, watch, cancel };

  /**
   * The job that was accepted, with its `stream_token`; `options` are the further fields of the submission. The same
   * `idempotency_key` with the same input is the same job, however often it is sent.
   *
   * @param {string} kind
   * @param {object} input
   * @param {{idempotency_key?: string, priority?: number, metadata?: Record<string, string>}} [options]
   * @returns {Promise<Snapshot & {stream_token: string}>}
   */
  async function submit(kind, input, options = {}) {
    const body = JSON.stringify({ kind, input, ...options });
    const headers = { 'Content-Type': 'application/json' };
    return (await request('/v1/jobs', { method: 'POST', headers, body })).json();
  }

  /** @param {string} jobId @param {{signal?: AbortSignal}} [options] @returns {Promise<Snapshot>} */
  async function get(jobId, { signal } = {}) {
    return (await request(pathOf(jobId), { signal })).json();
  }

  /**
   * The job, `cancelling` or already ended; asking again changes nothing.
   *
   * @param {string} jobId
   * @returns {Promise<Snapshot>}
   */
  async function cancel(jobId) {
    return (await request(`${pathOf(jobId)}/cancel`, { method: 'POST' })).json();
  }

  /**
   * The snapshot after each update, until the job has ended or `signal` aborts.
   *
   * Cuts and gaps are healed on the way; it throws an ApiError where the job can't be read: gone, or not allowed.
   * Where no stream can be had it polls, and one snapshot may then stand for several updates.
   *
   * @param {string} jobId
   * @param {{after?: Snapshot, signal?: AbortSignal, onUpdate?: (update: Update) => void,
   *   onConnection?: (connection: Connection) => void}} [options] `after`: goes on from a snapshot already at hand
   * @returns {AsyncGenerator<Snapshot, void>}
   */
  function watch(jobId, options = {}) {
    const { after = null, signal = new AbortController().signal, onUpdate = ignore, onConnection = ignore } = options;
    const path = pathOf(jobId);
    const ask = (headers, seconds) => request(path, { headers, signal, seconds });
    const sources = {
      stream: EventSource
        ? (cursor) => streamed(streamUrl(path, cursor), { EventSource, after: cursor, signal, onConnection })
        : null,
      poll: (cursor) => polled(ask, { after: cursor, signal }),
      once: async function* once() {
        const snapshot = await get(jobId, { signal });
        yield { id: snapshot.cursor, event: 'snapshot', data: snapshot };
      },
    };
    return watched(sources, { after, signal, onUpdate, onConnection });
  }

  function streamUrl(path, cursor) {
    const url = new URL(`${path}/stream`, baseUrl);
    if (cursor) url.searchParams.set('after', cursor);
    if (token) url.searchParams.set('token', token);
    return url.href;
  }

  /**
   * @param {string} path
   * @param {RequestInit & {headers?: Record<string, string>, signal?: AbortSignal, seconds?: number}} [init]
   *   `seconds`: how much longer than usual the answer may take
   */
  async function request(path, { headers, signal, seconds = 0, ...init } = {}) {
    const timeout = AbortSignal.timeout((REQUEST_SECONDS + seconds) * 1000);
    const response = await fetch(new URL(path, baseUrl).href, {
      ...init,
      headers: { ...credential, ...headers },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (!response.ok && response.status !== 304) throw await refusal(response);
    return response;
  }
}

function pathOf(jobId) {
  return `/v1/jobs/${encodeURIComponent(jobId)}`;
}

async function refusal(response) {
  const told = response.headers.get('Content-Type')?.includes('json');
  return new ApiError(response.status, told ? await response.json() : { title: response.statusText });
}

function ignore() {}
