/** Values for tests: a snapshot, its cursors and updates, all with the least said. */

const NO_PART = {
  state: 'pending', text: '', model: null, attempt: 0, result: null, error: null,
  usage: null, elapsed: null, first_token: null, length: null, sha256: null,
};

export const JOB = 'job-0123456789abcdef';

export function cursor(seq) {
  return `${1795301981000000 + seq}-${seq}`;
}

export function aSnapshot({ seq = 1, parts = {}, ...changes } = {}) {
  return {
    id: JOB, kind: 'chat', state: 'queued', run: 1, seq, cursor: cursor(seq), attempt: 0, max_attempts: 1, priority: 5,
    subject: null, metadata: {}, created_at: '2026-11-21T22:33:05.123Z', run_at: null, started_at: null,
    finished_at: null, next_attempt_at: null, expires_at: null, elapsed: 0, progress: {},
    parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { ...NO_PART, ...part }])),
    steps: [], result: null, error: null, links: {}, ...changes,
  };
}
