/**
 * Watches jobs as it is told, over the real network, and keeps account of every update: a line of JSON for each, and
 * one for each watch that has ended. What it is told comes as JSON, its only argument:
 * {"url", "mint": where tokens are made, "secret", "pace", "readers": [{"roads", "jobs", "token"}]}.
 */

import { EventSource } from 'eventsource';
import WebSocket from 'ws';

import { createClient } from '../client.js';

const { url, mint, secret, pace, readers } = JSON.parse(process.argv[2]);
const tokens = { secret, expiring };

readers.forEach(({ roads, jobs, token }, reader) => {
  const client = createClient({
    baseUrl: url,
    token: tokens[token],
    EventSource: roads.includes('stream') ? EventSource : null,
    WebSocket: roads.includes('socket') ? WebSocket : null,
    pace,
  });
  for (const job of jobs) witness(client.watch(job), { reader, job });
});

/** Tells of each update of the watch; a fault is an update that came twice, out of order, or after one that did not. */
function witness(watch, who) {
  const faults = [];
  const snapshots = [];
  const roads = [];
  let last = 0;

  watch.on('update', ({ id, event, seq, data }) => {
    if (!id) return;
    if (event === 'snapshot') snapshots.push(data.reason ?? 'polled');
    else if (seq !== last + 1) faults.push(`${event} ${seq} after ${last}`);
    last = seq;
    tell({ ...who, seq });
  });
  watch.on('connection', (connection) => {
    roads.push(connection);
    tell({ ...who, connection });
  });
  watch.on('end', (snapshot) => tell({ ...who, end: snapshot, faults, snapshots, roads, verified: watch.verified }));
  watch.on('error', (error) => tell({ ...who, error: String(error) }));
}

/** A token that the service takes back a few seconds later. */
async function expiring() {
  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ subject: 'reader', scopes: ['read'], ttl: 8 });
  const answer = await fetch(new URL('/v1/tokens', mint), { method: 'POST', headers, body });
  return (await answer.json()).token;
}

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
