/** The unfinished jobs of a tab, kept in its storage so that it goes on with them after a reload; no credentials. */

/**
 * @param {string} prefix of the keys: one service's jobs
 * @param {Storage | null} storage null where there is none, or it is refused
 *
 * @typedef {ReturnType<typeof createMemory>} Memory
 */
export function createMemory(prefix, storage) {
  return { jobs, recall, keep, forget };

  /** @returns {string[]} */
  function jobs() {
    const keys = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? '');
    return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  /** @param {string} job @returns {import('./model.js').Snapshot | null} null if nothing more than its id is known */
  function recall(job) {
    try {
      return JSON.parse(storage?.getItem(prefix + job) ?? 'null');
    } catch {
      return null;
    }
  }

  /** @param {string} job @param {import('./model.js').Snapshot | null} snapshot */
  function keep(job, snapshot) {
    try {
      storage?.setItem(prefix + job, JSON.stringify(snapshot));
    } catch {
      forget(job); // it is full: a snapshot can be had from the service
    }
  }

  /** @param {string} job */
  function forget(job) {
    storage?.removeItem(prefix + job);
  }
}

/** The storage of this tab; null outside a page, and where the browser refuses it. @returns {Storage | null} */
export function storageOfTab() {
  try {
    return globalThis.document ? globalThis.sessionStorage : null;
  } catch {
    return null;
  }
}
