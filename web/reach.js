/** Whether the service is within reach of this page: as its watches tell, and the browser. */

import { useEffect, useState } from 'preact/hooks';

const CALM_MILLISECONDS = 700; // what is over by then is not worth a word
const BACK_MILLISECONDS = 5000;

/**
 * @typedef {'well' | 'offline' | 'cut'} Spell `cut`: something is watched, and its connection is lost
 *
 * @param {import('./client.js').Client} client
 */
export function createReach(client) {
  const lost = new Set();
  const listeners = new Set();
  addEventListener('online', tell);
  addEventListener('offline', tell);

  return { client: { ...client, watch }, spell, listen };

  /** @type {import('./client.js').Client['watch']} */
  function watch(job, options) {
    const started = client.watch(job, options);
    started.on('connection', (connection) => {
      if (connection === 'reconnecting') lost.add(started);
      else lost.delete(started);
      tell();
    });
    return started;
  }

  /** @returns {Spell} */
  function spell() {
    if (!navigator.onLine) return 'offline';
    return lost.size > 0 ? 'cut' : 'well';
  }

  /** Calls back whenever the spell may have changed, until the returned function is called. */
  function listen(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  function tell() {
    for (const listener of listeners) listener(spell());
  }
}

/**
 * What is worth telling of it: a spell that lasts, and for a while that it is over.
 *
 * @param {ReturnType<typeof createReach>} reach
 * @returns {Spell | 'back'}
 */
export function useSpell(reach) {
  const [spell, setSpell] = useState(reach.spell());
  const [told, setTold] = useState(/** @type {Spell | 'back'} */ ('well'));
  useEffect(() => reach.listen(setSpell), [reach]);
  useEffect(() => {
    if (spell === 'well' && told === 'well') return undefined;
    const next = spell !== 'well' ? spell : told === 'back' ? 'well' : 'back';
    if (next === told) return undefined;
    const wait = { well: BACK_MILLISECONDS, back: 0 }[next] ?? CALM_MILLISECONDS;
    const timer = setTimeout(() => setTold(next), wait);
    return () => clearTimeout(timer);
  }, [spell, told]);
  return told;
}
