/** A user of the client in TypeScript: it compiles against the published declarations alone, and is never run. */

import { ApiError, createClient, TimedOut, type Snapshot, type Update, type Watch } from '../client.js';

const client = createClient({ baseUrl: 'http://localhost:8888', token: async () => 'token', pace: { request: 5 } });

export async function use(): Promise<string> {
  const job: Snapshot & { stream_token: string } = await client.submit('chat', { message: 'Hello' }, { priority: 7 });
  const watch: Watch = client.watch(job.id, { token: job.stream_token, timeout: 60 });
  watch.on('update', (update: Update, snapshot: Snapshot) => console.log(update.event, snapshot.seq));
  watch.on('connection', (connection) => console.log(connection === 'polling'));
  try {
    for await (const snapshot of watch) console.log(snapshot.parts.openai?.text.length);
  } catch (error) {
    if (error instanceof ApiError) return `${error.status}: ${error.problem.detail}`;
    if (error instanceof TimedOut) await client.cancel(job.id);
  }
  const proof: boolean | null = watch.verified;
  await client.retry(job.id, { parts: ['openai'] });
  return String(proof);
}

// @ts-expect-error: there is no such option
createClient({ url: 'http://localhost:8888' });
// @ts-expect-error: there is no such event
client.watch('id').on('delta', () => {});
// @ts-expect-error: there is no such state
export const done = (snapshot: Snapshot) => snapshot.state === 'done';
