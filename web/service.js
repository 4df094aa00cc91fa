/** What the page asks of the service beside watching jobs: lists of them, conversations, sessions, trees, rejects. */

import { ApiError } from './client.js';

/** One's own jobs, newest first. @param {{kind?: string, state?: string, cursor?: string | null}} [asked] empty: any
 * @returns {Promise<{items: import('./client.js').Snapshot[], next: string | null}>} */
export function jobs(asked = {}) {
  const given = Object.entries(asked).filter(([, value]) => value);
  return ask(`/v1/jobs?${new URLSearchParams(given)}`);
}

/** Deletes a job that has ended, and all that is kept of it. @param {string} id */
export function deleteJob(id) {
  return ask(`/v1/jobs/${encodeURIComponent(id)}`, { method: 'DELETE', missing: null });
}

/** A token that reads this one job and nothing else. @param {string} id @returns {Promise<string>} */
export async function streamToken(id) {
  return (await ask(`/v1/jobs/${encodeURIComponent(id)}/token`, { method: 'POST' })).token;
}

/** One's own conversations, the latest first. @returns {Promise<{id: string, updated_at: string}[]>} */
export async function conversations() {
  return (await ask('/v1/conversations?limit=6')).items;
}

/** @param {string} id */
export function deleteConversation(id) {
  return ask(`/v1/conversations/${encodeURIComponent(id)}`, { method: 'DELETE', missing: null });
}

/** A conversation's rounds, oldest first; none where there is no such conversation (yet).
 *
 * @param {string} id
 * @returns {Promise<{jobId: string, question: string, answers: Record<string, string>}[]>}
 */
export async function roundsOf(id) {
  const { turns } = await ask(`/v1/conversations/${encodeURIComponent(id)}`, { missing: { turns: {} } });
  const rounds = new Map();
  for (const [provider, said] of Object.entries(turns)) {
    for (const { role, content, job_id: jobId } of said) {
      const round = rounds.get(jobId) ?? { jobId, question: '', answers: {} };
      if (role === 'user') round.question = content;
      else round.answers[provider] = content;
      rounds.set(jobId, round);
    }
  }
  return [...rounds.values()];
}

/** @param {string} id */
export function session(id) {
  return ask(`/v1/sessions/${encodeURIComponent(id)}`);
}

/** @param {string} id @param {{messages: {role: string, content: string}[], tree_id?: string}} held */
export function putSession(id, held) {
  return ask(`/v1/sessions/${encodeURIComponent(id)}`, { method: 'PUT', body: held });
}

/** The tree, null where there is none (yet). @param {string} id */
export function tree(id) {
  return ask(`/v1/trees/${encodeURIComponent(id)}`, { missing: null });
}

/** Summarises what is stale of a tree. @param {string} id @returns {Promise<{stale: boolean, job_id: string | null}>} */
export function preflight(id) {
  return ask(`/v1/trees/${encodeURIComponent(id)}/preflight`, { method: 'POST' });
}

/** The records that a copy set aside. @param {string} jobId @returns {Promise<{record: unknown, line: number, reason: string}[]>} */
export async function rejectsOf(jobId) {
  const answer = await fetch(`/v1/jobs/${jobId}/rejects`);
  if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
  return (await answer.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

async function ask(path, { method = 'GET', body, missing } = {}) {
  const sent = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const answer = await fetch(path, { method, ...sent });
  if (answer.status === 404 && missing !== undefined) return missing;
  if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
  return answer.status === 204 ? null : answer.json();
}

function problemOf(answer) {
  return answer.json().catch(() => ({}));
}
