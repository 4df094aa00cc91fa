/** The service over HTTP: requests that carry a credential, end in time, and fail with what the service said. */

import { ApiError, isPassing } from './errors.js';
import { backOff, pause } from './pause.js';

const TRIES = 3;

/**
 * @param {{baseUrl: string, fetch: typeof globalThis.fetch, pace: import('./pace.js').Pace}} options
 *
 * @typedef {{credential: import('./credential.js').Credential, headers?: Record<string, string>,
 *   signal?: AbortSignal, seconds?: number, method?: string, body?: string}} Asking `seconds`: how much longer than
 *   usual the answer may take
 * @typedef {ReturnType<typeof createService>} Service
 */
export function createService({ baseUrl, fetch, pace }) {
  const root = baseUrl.replace(/\/$/, '');

  return { urlOf, request, persist };

  /** @param {string} path @param {Iterable<[string, string]>} [query] */
  function urlOf(path, query = []) {
    const url = new URL(`${root}${path}`);
    for (const [name, value] of query) url.searchParams.append(name, value);
    return url;
  }

  /**
   * The answer, 304 included; an ApiError for a refusal. A token that was refused is replaced once.
   *
   * @param {string} path
   * @param {Asking} asking
   * @returns {Promise<Response>}
   */
  async function request(path, { credential, ...asking }) {
    const token = await credential.get();
    const response = await sent(path, token, asking);
    const again = response.status === 401 && (await credential.replace(token));
    const answer = again ? await sent(path, await credential.get(), asking) : response;
    if (!answer.ok && answer.status !== 304) throw await refusal(answer);
    return answer;
  }

  /**
   * As a request; where the answer is lost or the service is away for a moment, it is sent again.
   *
   * @param {string} path
   * @param {Asking} asking what has the same effect however often it is sent
   */
  async function persist(path, asking) {
    for (let failures = 0; ; failures += 1) {
      try {
        return await request(path, asking);
      } catch (error) {
        const useless = !isPassing(error) || (error instanceof ApiError && error.status === 429);
        if (useless || failures + 1 === TRIES) throw error;
        await pause(backOff(failures + 1, pace), asking.signal ?? new AbortController().signal);
      }
    }
  }

  /** @param {string} path @param {string | undefined} token @param {Omit<Asking, 'credential'>} asking */
  function sent(path, token, { headers, signal, seconds = 0, ...init }) {
    const timeout = AbortSignal.timeout((pace.request + seconds) * 1000);
    return fetch(urlOf(path).href, {
      ...init,
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  }
}

/** @param {string} job */
export function pathOf(job) {
  return `/v1/jobs/${encodeURIComponent(job)}`;
}

/** @param {Response} response */
async function refusal(response) {
  const body = await response.text();
  return new ApiError(response.status, problemIn(body) ?? { title: response.statusText }, body);
}

/** @param {string} body @returns {import('./errors.js').Problem | null} null where it is none, as from a proxy */
function problemIn(body) {
  try {
    const told = JSON.parse(body);
    return typeof told === 'object' ? told : null;
  } catch {
    return null;
  }
}
