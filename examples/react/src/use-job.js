/** A job in React: `useJob` gives a component what is known of it, and renders again whenever that changes. */

import { useEffect, useState } from 'react';

const NOTHING = { snapshot: null, connection: 'connecting', verified: null, error: null };

/**
 * @param {import('../../../web/client.js').Client} client
 * @param {string | undefined} id none: nothing is watched
 * @param {import('../../../web/client.js').WatchOptions} [options] those given with the id; later ones don't count
 * @returns {{snapshot: import('../../../web/client.js').Snapshot | null, verified: boolean | null, error: Error | null,
 *   connection: import('../../../web/client.js').Connection}}
 */
export function useJob(client, id, options) {
  const [job, setJob] = useState(NOTHING);

  useEffect(() => {
    if (!id) return undefined;
    const watch = client.watch(id, options);
    const show = (error = null) => {
      setJob({ snapshot: watch.snapshot, connection: watch.connection, verified: watch.verified, error });
    };
    watch.on('snapshot', () => show());
    watch.on('connection', () => show());
    watch.on('error', show);
    return () => {
      watch.close();
      setJob(NOTHING);
    };
  }, [client, id]);

  return job;
}
