/** A job in Vue: `useJob` gives a component what is known of it, as refs that change with it. */

import { onScopeDispose, shallowRef, toValue, watch as whenever } from 'vue';

/**
 * @param {import('../../../web/client.js').Client} client
 * @param {import('vue').MaybeRefOrGetter<string | undefined>} id none: nothing is watched
 * @param {import('../../../web/client.js').WatchOptions} [options]
 */
export function useJob(client, id, options) {
  const snapshot = shallowRef(null);
  const connection = shallowRef('connecting');
  const verified = shallowRef(null);
  const error = shallowRef(null);
  let leave = () => {};

  whenever(() => toValue(id), follow, { immediate: true });
  onScopeDispose(() => leave());
  return { snapshot, connection, verified, error };

  function follow(job) {
    leave();
    [snapshot.value, connection.value, verified.value, error.value] = [null, 'connecting', null, null];
    if (!job) return;
    const watch = client.watch(job, options);
    watch.on('snapshot', (newest) => {
      snapshot.value = newest;
      verified.value = watch.verified;
    });
    watch.on('connection', (now) => { connection.value = now; });
    watch.on('error', (told) => { error.value = told; });
    leave = watch.close;
  }
}
