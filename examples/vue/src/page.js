/** A page that its own server has handed a job: where the service is, the job's id, and the token that reads it. */

import { createApp, h } from 'vue';

import { createClient } from '../../../web/client.js';
import { useJob } from './use-job.js';

const { service, job: id } = Object.fromEntries(new URLSearchParams(location.search));
const token = location.hash.slice(1); // it stays in the browser: what follows # is sent to nobody
const client = createClient({ baseUrl: service });

const Job = {
  setup() {
    const { snapshot, connection, verified, error } = useJob(client, id, { token });
    return () => (error.value ? h('p', { role: 'alert' }, error.value.message) : h('main', [
      h('h1', snapshot.value?.state ?? 'Loading'),
      h('p', `${connection.value}, ${verified.value ? 'proven whole' : 'not proven yet'}`),
      ...Object.entries(snapshot.value?.parts ?? {}).map(([name, part]) => h('article', { 'aria-label': name }, [
        h('h2', `${name}: ${part.state}`),
        h('pre', part.text),
      ])),
    ]));
  },
};

createApp(Job).mount('#page');
