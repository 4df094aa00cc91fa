/** The leading tab's part: the one connection, and which tab follows what by it. */

export const MOST_JOBS = 32;

/**
 * @typedef {{to?: string} & ({type: 'lead'} | {type: 'go', job: string, cursor: string} | {type: 'update',
 *   update: Update} | {type: 'elsewhere', job: string} | {type: 'connection',
 *   connection: import('./model.js').Connection})} Saying
 * @typedef {[job: string, cursor: string]} Want
 * @typedef {{type: 'want', tab: string, jobs: Want[]}} Wanted
 * @typedef {import('./model.js').Update} Update
 *
 * @param {{name: string, locks: LockManager, ledger: import('./ledger.js').Ledger, line: import('./line.js').Line,
 *   post: (what: Saying) => void}} options
 */
export function createLead({ name, locks, ledger, line, post }) {
  const closing = new AbortController();
  /** @type {Map<string, Set<string>>} */
  const tabs = new Map();
  /** @type {import('./model.js').Connection} */
  let connection = 'connecting';
  /** @type {import('./ledger.js').Reader} */
  const others = {
    update(update) {
      if (update.event !== 'problem') post({ type: 'update', update });
    },
    refuse: (_, job) => post({ type: 'elsewhere', job }), // each tab finds out with its own credential
    connection(now) {
      if (now !== connection) post({ type: 'connection', connection: now });
      connection = now;
    },
  };

  return { line, serve, joined, close };

  /** Tells that this tab wants the job itself. @param {string} job */
  function joined(job) {
    const entry = ledger.entries.get(job);
    if (entry?.readers.size === 1) line.joined(job);
    else if (entry?.cursor && !entry.snapshot) restart(entry); // it was only handed on so far
  }

  /** @param {Wanted} wanted */
  function serve({ tab, jobs }) {
    const wanted = new Map(jobs);
    const had = tabs.get(tab) ?? watchOver(tab);
    for (const job of had) if (!wanted.has(job)) drop(tab, job);
    for (const [job, cursor] of wanted) {
      had.add(job);
      answer(tab, job, cursor);
    }
    connection = ledger.connection;
    post({ to: tab, type: 'connection', connection });
  }

  /** @param {string} tab @param {string} job @param {string} cursor where the tab is */
  function answer(tab, job, cursor) {
    const entry = ledger.entries.get(job);
    if (!entry) return begin(tab, job, cursor);
    entry.readers.add(others);
    if (!entry.cursor) return; // a snapshot for everybody is under way
    if (entry.cursor === cursor) post({ to: tab, type: 'go', job, cursor });
    else if (entry.snapshot) post({ to: tab, type: 'update', update: snapshotOf(job, entry.snapshot) });
    else restart(entry);
  }

  /** Asks for a snapshot of the job. @param {import('./ledger.js').Entry} entry */
  function restart(entry) {
    entry.cursor = '';
    line.anew();
  }

  /** @param {string} tab @param {string} job @param {string} cursor */
  function begin(tab, job, cursor) {
    if (ledger.entries.size >= MOST_JOBS) return post({ to: tab, type: 'elsewhere', job });
    ledger.add(job, others, { cursor });
    if (cursor) post({ to: tab, type: 'go', job, cursor });
    line.joined(job);
  }

  /** Notices when the tab is gone: its own lock is free then. @param {string} tab */
  function watchOver(tab) {
    const jobs = new Set();
    tabs.set(tab, jobs);
    const gone = () => {
      tabs.delete(tab);
      for (const job of jobs) drop(tab, job);
    };
    locks.request(`${name}:${tab}`, { signal: closing.signal }, gone).catch(() => {});
    return jobs;
  }

  /** @param {string} tab @param {string} job */
  function drop(tab, job) {
    tabs.get(tab)?.delete(job);
    if ([...tabs.values()].some((jobs) => jobs.has(job))) return;
    ledger.remove(job, others);
    if (!ledger.entries.has(job)) line.left();
  }

  function close() {
    closing.abort();
    line.close();
    for (const job of [...ledger.entries.keys()]) ledger.remove(job, others);
  }
}

/** @param {string} job @param {import('./model.js').Snapshot} snapshot @returns {Update} */
function snapshotOf(job, snapshot) {
  return { job, id: snapshot.cursor, seq: snapshot.seq, event: 'snapshot', data: snapshot };
}
