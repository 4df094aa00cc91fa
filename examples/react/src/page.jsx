/** A page that its own server has handed a job: where the service is, the job's id, and the token that reads it. */

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { createClient } from '../../../web/client.js';
import { useJob } from './use-job.js';

const { service, job: id } = Object.fromEntries(new URLSearchParams(location.search));
const token = location.hash.slice(1); // it stays in the browser: what follows # is sent to nobody
const client = createClient({ baseUrl: service });

function Job() {
  const { snapshot, connection, verified, error } = useJob(client, id, { token });
  if (error) return <p role="alert">{error.message}</p>;
  return (
    <main>
      <h1>{snapshot?.state ?? 'Loading'}</h1>
      <p>{connection}, {verified ? 'proven whole' : 'not proven yet'}</p>
      {Object.entries(snapshot?.parts ?? {}).map(([name, part]) => (
        <article key={name} aria-label={name}>
          <h2>{name}: {part.state}</h2>
          <pre>{part.text}</pre>
        </article>
      ))}
    </main>
  );
}

createRoot(document.getElementById('page')).render(<StrictMode><Job /></StrictMode>);
