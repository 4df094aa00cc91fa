/** The same job by long-polling, for whoever can't have a stream. */

import { pause } from './pause.js';

const WAIT_SECONDS = 25;
const UNHELD_SECONDS = 2;

/**
 * One `snapshot` update for each change of the job, as far as polling sees them; never ends by itself.
 *
 * @param {(headers: Record<string, string>, seconds: number) => Promise<Response>} ask
 * @param {{after: string, signal: AbortSignal}} options
 * @returns {AsyncGenerator<import('./fold.js').Update, void>}
 */
export async function* polled(ask, { after, signal }) {
  let cursor = after;
  while (!signal.aborted) {
    const headers = { Prefer: `wait=${WAIT_SECONDS}`, ...(cursor && { 'If-None-Match': `W/"${cursor}"` }) };
    const answer = await ask(headers, WAIT_SECONDS);
    if (answer.status !== 304) {
      const snapshot = await answer.json();
      cursor = snapshot.cursor;
      yield { id: cursor, event: 'snapshot', data: snapshot };
    }
    const held = answer.headers.has('Preference-Applied');
    if (!held) await pause(Number(answer.headers.get('Retry-After') ?? UNHELD_SECONDS) * 1000, signal);
  }
}
