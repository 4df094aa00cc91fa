/** One's own jobs: a list that is kept fresh at its beginning and grows at its end. */

import { useEffect, useState } from 'preact/hooks';

import { jobs } from './service.js';

const LOOK_MILLISECONDS = 10_000;

/**
 * @typedef {import('./client.js').Snapshot} Snapshot
 * @typedef {{found: Snapshot[] | null, next: string | null, error: Error | null}} Listing `found` is null at first
 */

/** @type {Listing} */
const NOTHING = { found: null, next: null, error: null };

/**
 * The jobs of this kind and state (empty: any), looked for again from time to time while the page is seen.
 *
 * @param {{kind: string, state: string}} filter
 */
export function useListing({ kind, state }) {
  const [listing, setListing] = useState(NOTHING);

  useEffect(() => {
    let wanted = true;
    setListing(NOTHING);
    const look = async () => {
      if (document.visibilityState === 'hidden') return;
      const seen = await page({ kind, state });
      if (wanted) setListing((now) => freshened(now, seen));
    };
    const timer = setInterval(look, LOOK_MILLISECONDS);
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      wanted = false;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [kind, state]);

  async function older() {
    const seen = await page({ kind, state, cursor: listing.next });
    setListing((now) => lengthened(now, seen));
  }

  function change(how) {
    setListing((now) => (now.found ? { ...now, found: how(now.found) } : now));
  }

  return {
    ...listing,
    older,
    replace: (job) => change((found) => found.map((each) => (each.id === job.id ? newest(each, job) : each))),
    drop: (id) => change((found) => found.filter((each) => each.id !== id)),
  };
}

/** Of two snapshots of a job the later one. @param {Snapshot} one @param {Snapshot | null} other */
export function newest(one, other) {
  return other && other.seq > one.seq ? other : one;
}

/** @returns {Promise<Listing>} */
async function page(asked) {
  try {
    const { items, next } = await jobs(asked);
    return { found: items, next, error: null };
  } catch (error) {
    return { ...NOTHING, error };
  }
}

/** What was found, with its first page as it is now; a look that failed changes nothing but says so. */
function freshened(listing, seen) {
  if (seen.error) return { ...listing, error: seen.error };
  const oldest = seen.found.at(-1)?.created_at ?? '';
  const further = seen.next ? (listing.found ?? []).filter(({ created_at: at }) => at < oldest) : [];
  const found = [...seen.found, ...missingIn(seen.found, further)];
  return { found, next: further.length > 0 ? listing.next : seen.next, error: null };
}

/** What was found, and the older ones that were asked for. */
function lengthened(listing, seen) {
  if (seen.error || !listing.found) return { ...listing, error: seen.error };
  return { ...seen, found: [...listing.found, ...missingIn(listing.found, seen.found)] };
}

/** @param {Snapshot[]} found @param {Snapshot[]} others */
function missingIn(found, others) {
  const known = new Set(found.map(({ id }) => id));
  return others.filter(({ id }) => !known.has(id));
}
