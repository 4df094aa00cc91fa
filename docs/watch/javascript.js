/** Watch a job in ten lines; JOBSTREAM_URL and JOBSTREAM_TOKEN say where the service is, and who asks. */
import { createClient } from '../../web/client.js';

const client = createClient();
const { id } = await client.submit('chat', { message: 'Why is the sky blue?' });
const watch = client.watch(id, { timeout: 300 });
for await (const job of watch) console.log(job.state, Object.values(job.parts).map((part) => part.text.length));
for (const [name, part] of Object.entries(watch.snapshot.parts)) console.log(name, part.state, part.text);
console.log(watch.verified ? 'verified' : 'not proven');
client.close();
