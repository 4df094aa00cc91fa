/**
 * Watches jobs as it is told, over the real network, and keeps account of every update: a line of JSON for each, and
 * one for each watch that has ended. What it is told comes as JSON, its only argument:
 * {"url", "mint": where tokens are made, "secret", "pace", "readers": [{"roads", "jobs", "token", "stays"}]}.
 *
 * A reader that doesn't stay is a tab that is closed again and again: the next one goes on from what it held, and all
 * of these tabs share one connection.
 */

import { EventSource } from 'eventsource';
import WebSocket from 'ws';

import { createClient } from '../client.js';
import { someLocks } from './fake-locks.js';

const UPDATES_OF_A_TAB = 40;

const { url, mint, secret, pace, readers } = JSON.parse(process.argv[2]);
const tokens = { secret, expiring };
const locks = someLocks();

readers.forEach(({ roads, jobs, token, stays }, reader) => {
  const options = {
    baseUrl: url,
    token: tokens[token],
    EventSource: roads.includes('stream') ? EventSource : null,
    WebSocket: roads.includes('socket') ? WebSocket : null,
    locks: stays ? null : locks,
    pace,
  };
  const accounts = jobs.map((job) => ({ reader, job, last: 0, faults: [], snapshots: [], after: null }));
  open(options, accounts, { stays });
});

/** A client that watches what hasn't ended yet. */
function open(options, accounts, { stays }) {
  const client = createClient(options);
  const unfinished = accounts.filter(({ ended }) => !ended);
  let left = Math.ceil(UPDATES_OF_A_TAB * Math.random());
  for (const account of unfinished) {
    const watch = client.watch(account.job, { after: account.after });
    witness(watch, account);
    watch.on('snapshot', (snapshot) => { account.after = snapshot; });
    if (!stays) watch.on('update', count);
  }

  function count() {
    left -= 1;
    if (left !== 0) return;
    setImmediate(() => {
      client.close();
      open(options, accounts, { stays });
    });
  }
}

/** Tells of each update of the watch; a fault is an update that came twice, out of order, or after one that did not. */
function witness(watch, account) {
  const { reader, job, faults, snapshots } = account;

  watch.on('update', ({ id, event, seq, data }) => {
    if (!id) return;
    if (event === 'snapshot') snapshots.push(data.reason ?? 'polled');
    else if (seq !== account.last + 1) faults.push(`${event} ${seq} after ${account.last}`);
    account.last = seq;
    tell({ reader, job, seq });
  });
  watch.on('connection', (connection) => tell({ reader, job, connection }));
  watch.on('end', (snapshot) => {
    account.ended = true;
    tell({ reader, job, end: snapshot, faults, snapshots, verified: watch.verified });
  });
  watch.on('error', (error) => tell({ reader, job, error: String(error) }));
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
