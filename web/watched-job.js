/** What every view of one job does beside showing it: its title, the note of its end, whether it is over. */

import { useEffect } from 'preact/hooks';

const TERMINAL = ['completed', 'failed', 'cancelled'];

/** @param {import('./client.js').Snapshot | null} snapshot */
export function isOver(snapshot) {
  return TERMINAL.includes(snapshot?.state);
}

/** The page's title while the view shows this. @param {string | undefined} title */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} · Jobstream` : 'Jobstream';
  }, [title]);
}

/**
 * Remembers among the recent jobs how this one ended.
 *
 * @param {ReturnType<typeof import('./recents.js').createRecents>} recents
 * @param {import('./client.js').Snapshot | null} snapshot
 */
export function useEndNoted(recents, snapshot) {
  const over = isOver(snapshot);
  useEffect(() => {
    if (over) recents.note(snapshot.id, snapshot.state);
  }, [recents, over, snapshot?.id]);
}
