/** What an operator asks of the service, and does there; the session's cookie goes along by itself. */

import { createCredential } from '../client/credential.js';
import { PACE } from '../client/pace.js';
import { createService } from '../client/service.js';

const ROOT = '/v1/operator';

/**
 * @param {{signedOut: () => void}} told of a session that has ended, or never was
 *
 * @typedef {ReturnType<typeof createOperator>} Operator
 * @typedef {{done: number, left: number, refused: {id: string, detail: string}[]}} Outcome
 * @typedef {{ids: string[]} | {kind: string, type: string}} Letters
 */
export function createOperator({ signedOut }) {
  const service = createService({ baseUrl: location.origin, fetch: fetch.bind(globalThis), pace: PACE });
  const cookie = createCredential(undefined);

  return {
    signIn,
    signOut: () => act('/sign-out'),

    figures: () => read('/figures'),
    jobs: (query) => read('/jobs', query),
    job: (id) => read(`/jobs/${id}`),
    contents: (id) => read(`/jobs/${id}/contents`),
    /** @param {string} id @param {{after: string, limit: number}} query */
    updates: (id, query) => read(`/jobs/${id}/updates`, query),
    deadLetters: (query) => read('/dead-letters', query),
    kinds: () => read('/kinds'),
    schedules: () => read('/schedules'),
    deliveries: (query) => read('/deliveries', query),
    audit: (query) => read('/audit', query),

    cancel: (id) => act(`/jobs/${id}/cancel`),
    /** @param {string} id @param {{parts?: string[], from?: 'start'}} how */
    retry: (id, how) => act(`/jobs/${id}/retry`, how),
    /** @param {Letters} letters @returns {Promise<Outcome>} */
    retryLetters: (letters) => act('/dead-letters/retry', letters),
    /** @param {Letters} letters @returns {Promise<Outcome>} */
    deleteLetters: (letters) => act('/dead-letters/delete', letters),
    pauseKind: (kind) => act(`/kinds/${kind}/pause`),
    resumeKind: (kind) => act(`/kinds/${kind}/resume`),
    retryDelivery: (id) => act(`/deliveries/${encodeURIComponent(id)}/retry`),
    runSchedule: (name) => act(`/schedules/${encodeURIComponent(name)}/run`),
  };

  /**
   * Hands the secret to the service, which keeps the session in a cookie that no script reads.
   *
   * @param {string} secret
   */
  async function signIn(secret) {
    const bearer = createCredential(secret);
    await service.request('/v1/session', { credential: bearer, method: 'POST' });
  }

  /** @param {string} path @param {Record<string, string | number | undefined>} [query] */
  function read(path, query) {
    return ask(ROOT + path, { query });
  }

  /** @param {string} path @param {object} [body] */
  function act(path, body) {
    return ask(ROOT + path, { method: 'POST', body });
  }

  /** @param {string} path @param {{method?: string, query?: Record<string, any>, body?: object}} asking */
  async function ask(path, { method, query = {}, body }) {
    const wanted = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
    const whole = wanted.size ? `${path}?${wanted}` : path;
    const sent = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
    try {
      const answer = await service.request(whole, { credential: cookie, method, ...sent });
      return answer.status === 204 ? null : await answer.json();
    } catch (error) {
      if (error.status === 401) signedOut();
      throw error;
    }
  }
}
