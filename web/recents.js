/** The jobs that were asked for from this browser, so that one finds back to them. */

const KEY = 'jobstream.recents';
const MOST = 30;
const LONGEST_TITLE = 400;

/**
 * A list kept in the storage, newest first; it stays empty where asking for the storage is refused. A recent is shown
 * by the view at `home`.
 *
 * @param {() => Storage} storage
 *
 * @typedef {{id: string, home: string, title: string, at: string, state?: string, conversation?: string}} Recent
 */
export function createRecents(storage) {
  const listeners = new Set();

  return { list, add, note, forget, listen };

  /** @returns {Recent[]} */
  function list() {
    try {
      const kept = JSON.parse(storage().getItem(KEY) ?? '[]');
      return Array.isArray(kept) ? kept.filter(({ home, title }) => home && title) : [];
    } catch {
      return [];
    }
  }

  /** @param {{id: string, home: string, title: string, conversation?: string}} job */
  function add({ id, title, ...rest }) {
    const recent = { id, title: title.slice(0, LONGEST_TITLE), at: new Date().toISOString(), ...rest };
    keep([recent, ...list().filter((known) => known.id !== id)]);
  }

  /** Remembers how a job ended. @param {string} id @param {string} state */
  function note(id, state) {
    keep(list().map((known) => (known.id === id ? { ...known, state } : known)));
  }

  /** @param {string} id */
  function forget(id) {
    keep(list().filter((known) => known.id !== id));
  }

  /** Calls back with the list whenever it changes, until the returned function is called. */
  function listen(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  function keep(recents) {
    const kept = recents.slice(0, MOST);
    try {
      storage().setItem(KEY, JSON.stringify(kept));
    } catch {
      return; // full or forbidden: the page works without
    }
    for (const listener of listeners) listener(kept);
  }
}
