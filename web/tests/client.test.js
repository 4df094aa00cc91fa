import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, createClient } from '../client.js';
import { aSnapshot, cursor, JOB } from './a-job.js';
import { aWire, anAnswer, until } from './fake-wire.js';

const BASE = 'http://localhost:8888';
const END = { state: 'completed', result: {}, error: null, finished_at: 'f', expires_at: 'e', parts: {} };

/** A watch under way, stopped after the test: what it has yielded, told and thrown so far. */
function aWatch(t, wire, { client = {}, ...options } = {}) {
  const stop = new AbortController();
  const seen = { stop, snapshots: [], connections: [], error: null, done: false };
  t.after(() => stop.abort());
  const watching = createClient({ baseUrl: BASE, ...wire, ...client }).watch(JOB, {
    signal: stop.signal,
    onConnection: (connection) => seen.connections.push(connection),
    ...options,
  });
  (async () => {
    for await (const snapshot of watching) seen.snapshots.push(snapshot);
  })().catch((error) => { seen.error = error; }).finally(() => { seen.done = true; });
  return seen;
}

const openStreams = (wire) => wire.streams.filter(({ readyState }) => readyState !== 2);
const text = ({ parts }) => parts.openai.text;

test('submit sends kind, input and idempotency key, and returns the job', async () => {
  const wire = aWire({ answers: [anAnswer({ ...aSnapshot(), stream_token: 's' }, { status: 202 })] });
  const client = createClient({ baseUrl: BASE, token: 'secret', ...wire });

  const job = await client.submit('chat', { message: 'hi' }, { idempotency_key: 'k' });

  const [{ url, method, headers, body }] = wire.requests;
  assert.deepEqual([method, url.pathname, headers.Authorization], ['POST', '/v1/jobs', 'Bearer secret']);
  assert.deepEqual(JSON.parse(body), { kind: 'chat', input: { message: 'hi' }, idempotency_key: 'k' });
  assert.deepEqual([job.id, job.stream_token], [JOB, 's']);
});

test('a refusal is an error with its status and its problem', async () => {
  const problem = { type: '/problems/invalid-input', title: 'Invalid input', status: 422, detail: 'message is empty' };
  const wire = aWire({ answers: [anAnswer(problem, { status: 422 })] });

  const refused = createClient({ baseUrl: BASE, ...wire }).submit('chat', { message: '' });

  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.message, error.problem], [422, 'message is empty', problem]);
    return true;
  });
});

test('a refusal that is not JSON, as a proxy sends it, is an error all the same', async () => {
  const page = new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
  const asked = createClient({ baseUrl: BASE, ...aWire({ answers: [page] }) }).get(JOB);
  await assert.rejects(asked, { status: 502, message: 'Bad Gateway' });
});

test('cancel posts to the job', async () => {
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'cancelling' }), { status: 202 })] });
  const job = await createClient({ baseUrl: BASE, ...wire }).cancel(JOB);
  assert.deepEqual([wire.requests[0].method, wire.requests[0].url.pathname], ['POST', `/v1/jobs/${JOB}/cancel`]);
  assert.equal(job.state, 'cancelling');
});

test('a watch yields the snapshot after each update and ends with the job', async (t) => {
  const wire = aWire();
  const seen = aWatch(t, wire);
  const [stream] = wire.streams;

  stream.open();
  stream.send('snapshot', { ...aSnapshot(), reason: 'initial' }, cursor(1));
  stream.send('part', { part: 'openai', state: 'running', text: '' }, cursor(2));
  stream.send('delta', { part: 'openai', text: 'Hel', at: 0 }, cursor(3));
  stream.send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(4));
  stream.send('end', END, cursor(5));
  await until(() => seen.done);

  assert.deepEqual(seen.snapshots.map(({ seq }) => seq), [1, 2, 3, 4, 5]);
  assert.equal(text(seen.snapshots.at(-1)), 'Hello');
  assert.deepEqual(seen.connections, ['connecting', 'live', 'closed']);
  assert.deepEqual(openStreams(wire), []);
});

test('a watch asks for the stream without a cursor, and with the token where there is one', (t) => {
  const wire = aWire();
  aWatch(t, wire);
  aWatch(t, wire, { client: { token: 'a b' } });
  assert.deepEqual(wire.streams.map(({ url }) => url.pathname + url.search), [
    `/v1/jobs/${JOB}/stream`, `/v1/jobs/${JOB}/stream?token=a+b`,
  ]);
});

test('a watch after a snapshot goes on from its cursor', async (t) => {
  const wire = aWire();
  const after = aSnapshot({ seq: 3, state: 'running', parts: { openai: { text: 'Hel' } } });
  const seen = aWatch(t, wire, { after });

  wire.streams[0].send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(4));
  await until(() => seen.snapshots.length);

  assert.equal(wire.streams[0].url.searchParams.get('after'), cursor(3));
  assert.equal(text(seen.snapshots[0]), 'Hello');
});

test('a cut that EventSource mends by itself is told and nothing is asked', async (t) => {
  const wire = aWire();
  const seen = aWatch(t, wire);
  wire.streams[0].open();
  wire.streams[0].cut();
  wire.streams[0].open();
  await until(() => seen.connections.length === 4);
  assert.deepEqual(seen.connections, ['connecting', 'live', 'reconnecting', 'live']);
  assert.deepEqual([wire.streams.length, wire.requests.length], [1, 0]);
});

test('a stream closed for good is opened again from the last cursor', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const now = aSnapshot({ seq: 2, state: 'running' });
  const wire = aWire({ answers: [anAnswer(now)] });
  aWatch(t, wire);

  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  wire.streams[0].cut({ forGood: true });
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  assert.equal(wire.streams[1].url.searchParams.get('after'), cursor(2));
});

test('a stream closed for good because the job has ended ends the watch', async (t) => {
  const wire = aWire({ answers: [anAnswer(aSnapshot({ seq: 9, state: 'completed' }))] });
  const seen = aWatch(t, wire, { after: aSnapshot({ seq: 9, state: 'completed' }) });
  wire.streams[0].cut({ forGood: true });
  await until(() => seen.done);
  assert.deepEqual([seen.error, seen.snapshots.at(-1).state, wire.streams.length], [null, 'completed', 1]);
});

test('a job that is gone is an error', async (t) => {
  const wire = aWire({ answers: [anAnswer({ title: 'No such job', status: 404 }, { status: 404 })] });
  const seen = aWatch(t, wire);
  wire.streams[0].cut({ forGood: true });
  await until(() => seen.done);
  assert.equal(seen.error.status, 404);
});

test('a job deleted under its stream is an error', async (t) => {
  const wire = aWire();
  const seen = aWatch(t, wire);
  wire.streams[0].send('problem', { type: '/problems/job-not-found', title: 'No such job', status: 404 });
  await until(() => seen.done);
  assert.equal(seen.error.status, 404);
  assert.deepEqual(openStreams(wire), []);
});

test('a transient problem on the stream is left to EventSource', async (t) => {
  const wire = aWire();
  const seen = aWatch(t, wire);
  wire.streams[0].send('problem', { title: 'Busy', status: 503 });
  wire.streams[0].cut();
  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  await until(() => seen.snapshots.length === 1);
  assert.deepEqual([wire.streams.length, wire.requests.length, seen.error], [1, 0, null]);
});

test('a service that is away for a while does not end the watch', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire();
  const seen = aWatch(t, wire);

  wire.streams[0].cut({ forGood: true });
  for (const tries of [2, 3, 4, 5]) {
    await until(() => wire.streams.length === tries, { clock: t.mock.timers, step: 100 });
    wire.streams.at(-1).cut({ forGood: true });
  }

  assert.ok(!seen.done);
  assert.ok(!seen.connections.includes('polling'));
});

test('a delta that leaves a gap is not folded: a fresh snapshot is asked for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire();
  const seen = aWatch(t, wire);

  wire.streams[0].send('snapshot', aSnapshot({ parts: { openai: { text: 'Hel' } } }), cursor(1));
  wire.streams[0].send('delta', { part: 'openai', text: 'o', at: 4 }, cursor(3));
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  assert.equal(wire.streams[1].url.searchParams.get('after'), null);
  assert.equal(wire.streams[0].readyState, 2);
  assert.deepEqual(seen.snapshots.map(text), ['Hel']);
});

test('a ping that tells of an update which never came leads to a new stream', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire({ answers: [anAnswer(aSnapshot({ seq: 2 }))] });
  aWatch(t, wire);

  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  wire.streams[0].send('ping', { cursor: cursor(1), now: 't' });
  wire.streams[0].send('ping', { cursor: cursor(2), now: 't' });
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  assert.equal(wire.streams[0].readyState, 2);
});

test('40 seconds of silence lead to a new stream, and pings are not silence', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire({ answers: [anAnswer(aSnapshot())] });
  aWatch(t, wire);

  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  t.mock.timers.tick(39_000);
  wire.streams[0].send('ping', { cursor: cursor(1), now: 't' });
  t.mock.timers.tick(39_000);
  assert.equal(wire.streams[0].readyState, 0);

  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 1000 });
  assert.equal(wire.streams[0].readyState, 2);
});

test('streams that bring nothing while asking works make the watch poll', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'running' }))] });
  const seen = aWatch(t, wire);

  await until(() => seen.connections.includes('polling'), { clock: t.mock.timers, step: 1000 });

  assert.equal(wire.streams.length, 2);
  assert.deepEqual(openStreams(wire), []);
});

test('without EventSource it long-polls from the last cursor until the job has ended', async (t) => {
  const held = { 'Preference-Applied': 'wait=25' };
  const wire = aWire({
    answers: [
      anAnswer(aSnapshot({ seq: 1 }), held),
      anAnswer(null, { status: 304, ...held }),
      anAnswer(aSnapshot({ seq: 7, state: 'completed' }), held),
    ],
  });
  const seen = aWatch(t, wire, { client: { EventSource: null } });
  await until(() => seen.done);

  assert.deepEqual(seen.snapshots.map(({ seq }) => seq), [1, 7]);
  assert.deepEqual(wire.requests.map(({ headers }) => headers['If-None-Match']), [
    undefined, `W/"${cursor(1)}"`, `W/"${cursor(1)}"`,
  ]);
  assert.ok(wire.requests.every(({ headers }) => headers.Prefer === 'wait=25'));
  assert.deepEqual(seen.connections, ['connecting', 'polling', 'closed']);
});

test('an answer that was not held is asked for again no sooner than it says', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'running' }), { 'Retry-After': '2' })] });
  const seen = aWatch(t, wire, { client: { EventSource: null } });

  await until(() => seen.snapshots.length === 1);
  t.mock.timers.tick(1999);
  assert.equal(wire.requests.length, 1);

  await until(() => wire.requests.length === 2, { clock: t.mock.timers, step: 1 });
});

test('an aborted watch ends quietly and closes its stream', async (t) => {
  const wire = aWire();
  const seen = aWatch(t, wire);
  seen.stop.abort();
  await until(() => seen.done);
  assert.equal(seen.error, null);
  assert.deepEqual(openStreams(wire), []);
});

test('a reader who leaves closes the stream', async () => {
  const wire = aWire();
  const watching = createClient({ baseUrl: BASE, ...wire }).watch(JOB);
  const first = watching.next();
  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  await first;
  await watching.return();
  assert.deepEqual(openStreams(wire), []);
});

test('a reader too slow for the stream misses nothing: it goes on from its cursor', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = aWire({ answers: [anAnswer(aSnapshot({ seq: 1000 }))] });
  const seen = aWatch(t, wire);

  for (let seq = 1; seq <= 1200; seq += 1) wire.streams[0].send('snapshot', aSnapshot({ seq }), cursor(seq));
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  assert.deepEqual(seen.snapshots.slice(0, 1000).map(({ seq }) => seq), Array.from({ length: 1000 }, (_, i) => i + 1));
  assert.equal(wire.streams[1].url.searchParams.get('after'), cursor(1000));
});
