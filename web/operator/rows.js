/** Jobs as a list shows them while updates come: pure functions. */

const TERMINAL = ['completed', 'failed', 'cancelled'];

/** What a stream over many jobs is asked for at most. */
export const MOST_FOLLOWED = 32;

/** @param {{state: string}} row */
export function isOver({ state }) {
  return TERMINAL.includes(state);
}

/** @type {Record<string, (data: any) => object>} what an update changes in a row; texts are none of its business */
const changes = {
  snapshot: ({ state, run, attempt, started_at, finished_at, progress, error }) => (
    { state, run, attempt, started_at, finished_at, progress, error }
  ),
  state: ({ state, run, attempt, started_at, error }) => (
    { state, run, attempt, started_at, finished_at: null, error }
  ),
  end: ({ state, error, finished_at }) => ({ state, error, finished_at }),
};

/** The types of updates that change a row. */
export const ROW_EVENTS = [...Object.keys(changes), 'progress'];

/**
 * The row after an update.
 *
 * @template {{progress: object}} Row
 * @param {Row} row @param {string} event @param {any} data
 * @returns {Row}
 */
export function advanced(row, event, data) {
  if (event === 'progress') {
    const { job, seq, ...news } = data;
    return { ...row, progress: { ...row.progress, ...news } };
  }
  const change = changes[event]?.(data);
  return change ? { ...row, ...change, error_type: change.error?.type ?? null } : row;
}

/** How long a job has run, or ran, in seconds; null for one that has not begun. @param {any} row @param {number} now */
export function tookOf({ started_at: start, finished_at: finish }, now) {
  if (!start) return null;
  return Math.max(0, ((finish ? Date.parse(finish) : now) - Date.parse(start)) / 1000);
}
