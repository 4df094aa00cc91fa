import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { ApiError, createClient, TimedOut } from '../client.js';
import { wordOf } from '../client/words.js';
import { aSnapshot, cursor, JOB } from './a-job.js';
import { aWire, anAnswer, until } from './fake-wire.js';

const BASE = 'http://localhost:8888';
const END = { state: 'completed', result: {}, error: null, finished_at: 'f', expires_at: 'e', parts: {} };

/** A watch under way, stopped after the test: what it has yielded, told and thrown so far. */
function aWatch(t, wire, { client = {}, ...options } = {}) {
  const stop = new AbortController();
  const seen = { stop, snapshots: [], connections: [], error: null, done: false };
  t.after(() => stop.abort());
  seen.watch = createClient({ baseUrl: BASE, WebSocket: null, ...wire, ...client }).watch(JOB, {
    signal: stop.signal, ...options,
  });
  seen.watch.on('connection', (connection) => seen.connections.push(connection));
  (async () => {
    for await (const snapshot of seen.watch) seen.snapshots.push(snapshot);
  })().catch((error) => { seen.error = error; }).finally(() => { seen.done = true; });
  return seen;
}

/** The watch, and its first stream. */
async function aStream(t, wire, options) {
  const seen = aWatch(t, wire, options);
  await until(() => wire.streams.length === 1);
  return [seen, wire.streams[0]];
}

const aClock = (t) => t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
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
  await assert.rejects(asked, { status: 502, message: 'Bad Gateway', body: '<h1>Bad gateway</h1>' });
});

test('cancel posts to the job', async () => {
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'cancelling' }), { status: 202 })] });
  const job = await createClient({ baseUrl: BASE, ...wire }).cancel(JOB);
  assert.deepEqual([wire.requests[0].method, wire.requests[0].url.pathname], ['POST', `/v1/jobs/${JOB}/cancel`]);
  assert.equal(job.state, 'cancelling');
});

test('a submission without a key of its own is given one, and an own one is kept', async () => {
  const wire = aWire({ answers: [anAnswer({ ...aSnapshot(), stream_token: 's' }, { status: 202 })] });
  const client = createClient({ baseUrl: BASE, ...wire });

  for (const options of [{}, {}, { idempotency_key: 'k' }]) await client.submit('chat', {}, options);

  const keys = wire.requests.map(({ body }) => JSON.parse(body).idempotency_key);
  assert.match(keys[0], /^[0-9a-f]{32}$/);
  assert.equal(new Set(keys).size, 3);
  assert.equal(keys[2], 'k');
});

test('a submission whose key is left undefined is given one', async () => {
  const wire = aWire({ answers: [anAnswer({ ...aSnapshot(), stream_token: 's' }, { status: 202 })] });
  await createClient({ baseUrl: BASE, ...wire }).submit('chat', {}, { idempotency_key: undefined });
  assert.match(JSON.parse(wire.requests[0].body).idempotency_key, /^[0-9a-f]{32}$/);
});

test('a submission whose answer is lost is sent again with the same key', async (t) => {
  aClock(t);
  const lost = { status: 503, title: 'Away' };
  const accepted = anAnswer({ ...aSnapshot(), stream_token: 's' }, { status: 202 });
  const wire = aWire({ answers: [anAnswer(lost, { status: 503 }), accepted] });

  let job;
  createClient({ baseUrl: BASE, ...wire }).submit('chat', {}).then((answer) => { job = answer; });
  await until(() => job, { clock: t.mock.timers, step: 50 });

  assert.equal(job.id, JOB);
  assert.deepEqual(new Set(wire.requests.map(({ body }) => body)).size, 1);
});

test('a submission that is refused is not sent again', async () => {
  const wire = aWire({ answers: [anAnswer({ title: 'No' }, { status: 403 })] });
  await assert.rejects(createClient({ baseUrl: BASE, ...wire }).submit('chat', {}), { status: 403 });
  assert.equal(wire.requests.length, 1);
});

test('retry posts what to run again', async () => {
  const wire = aWire({ answers: [anAnswer(aSnapshot({ run: 2 }), { status: 202 })] });
  const job = await createClient({ baseUrl: BASE, ...wire }).retry(JOB, { parts: ['openai'] });
  assert.equal(wire.requests[0].url.pathname, `/v1/jobs/${JOB}/retry`);
  assert.deepEqual([wire.requests[0].body, job.run], ['{"parts":["openai"]}', 2]);
});

test('an answer that does not come in time is an error', async (t) => {
  const hanging = setInterval(() => {}, 1000); // as a connection does, it keeps Node from leaving
  t.after(() => clearInterval(hanging));
  const hangs = (_, { signal }) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  const client = createClient({ baseUrl: BASE, fetch: hangs, pace: { request: 0.05 } });
  await assert.rejects(client.get(JOB), { name: 'TimeoutError' });
});

test('a function is asked for a token once, and again when the one it gave is refused', async () => {
  const refused = anAnswer({ title: 'Expired' }, { status: 401 });
  const wire = aWire({ answers: [refused, anAnswer(aSnapshot()), anAnswer(aSnapshot())] });
  let made = 0;
  const client = createClient({ baseUrl: BASE, token: async () => `token-${made += 1}`, ...wire });

  await client.get(JOB);
  await client.get(JOB);

  const sent = wire.requests.map(({ headers }) => headers.Authorization);
  assert.deepEqual(sent, ['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
});

test('many requests that are refused at once have one new token made', async () => {
  let made = 0;
  const fetch = async (_, { headers }) => (
    headers.Authorization === 'Bearer token-1' ? anAnswer({ title: 'Expired' }, { status: 401 }) : anAnswer(aSnapshot())
  );
  const client = createClient({ baseUrl: BASE, token: async () => `token-${made += 1}`, fetch });

  await Promise.all([1, 2, 3].map(() => client.get(JOB)));

  assert.equal(made, 2);
});

test('the service and the secret are those of the environment, unless they are given', async (t) => {
  process.env.JOBSTREAM_URL = 'http://there.example:1';
  process.env.BACKGROUND_FUNCTION_AUTH_TOKEN = 'new,old';
  t.after(() => { delete process.env.JOBSTREAM_URL; delete process.env.BACKGROUND_FUNCTION_AUTH_TOKEN; });
  const wire = aWire({ answers: [anAnswer(aSnapshot())] });

  await createClient(wire).get(JOB);
  await createClient({ ...wire, baseUrl: BASE, token: 'mine' }).get(JOB);

  const asked = wire.requests.map(({ url, headers }) => [url.origin, headers.Authorization]);
  assert.deepEqual(asked, [['http://there.example:1', 'Bearer new'], [BASE, 'Bearer mine']]);
});

test('without any other word the service is at localhost:8888', async () => {
  const wire = aWire({ answers: [anAnswer(aSnapshot())] });
  await createClient(wire).get(JOB);
  assert.equal(wire.requests[0].url.origin, BASE);
});

for (const baseUrl of ['http://there.example/jobs', 'http://there.example/jobs/']) {
  test(`a service below a path is reached there by every road: ${baseUrl}`, async (t) => {
    const wire = aWire({ answers: [anAnswer(aSnapshot())] });
    const sockets = [];
    function WebSocket(url) {
      sockets.push(url);
      return { addEventListener() {}, close() {} };
    }
    aWatch(t, wire, { client: { baseUrl } });
    aWatch(t, wire, { client: { baseUrl, EventSource: null, WebSocket } });
    await createClient({ baseUrl, ...wire }).get(JOB);
    await until(() => wire.streams.length === 1 && sockets.length === 1);

    assert.equal(wire.requests[0].url.href, `http://there.example/jobs/v1/jobs/${JOB}`);
    assert.equal(wire.streams[0].url.href, `http://there.example/jobs/v1/jobs/${JOB}/stream`);
    assert.deepEqual(sockets, ['ws://there.example/jobs/v1/ws']);
  });
}

test('a watch yields the snapshot after each update and ends with the job', async (t) => {
  const wire = aWire();
  const [seen, stream] = await aStream(t, wire);

  stream.open();
  stream.send('snapshot', { ...aSnapshot(), reason: 'initial' }, cursor(1));
  stream.send('part', { part: 'openai', state: 'running', text: '' }, cursor(2));
  stream.send('delta', { part: 'openai', text: 'Hel', at: 0 }, cursor(3));
  stream.send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(4));
  stream.send('end', END, cursor(5));
  await until(() => seen.done);

  assert.deepEqual(seen.snapshots.map(({ seq }) => seq), [1, 2, 3, 4, 5]);
  assert.equal(text(seen.snapshots.at(-1)), 'Hello');
  assert.deepEqual(seen.connections, ['live', 'closed']);
  assert.deepEqual(openStreams(wire), []);
});

test('a watch asks for the stream without a cursor, and with the token where there is one', async (t) => {
  const wire = aWire();
  await aStream(t, wire);
  aWatch(t, wire, { client: { token: 'a b' } });
  await until(() => wire.streams.length === 2);
  assert.deepEqual(wire.streams.map(({ url }) => url.pathname + url.search), [
    `/v1/jobs/${JOB}/stream`, `/v1/jobs/${JOB}/stream?token=a+b`,
  ]);
});

test('a watch after a snapshot goes on from its cursor', async (t) => {
  const wire = aWire();
  const after = aSnapshot({ seq: 3, state: 'running', parts: { openai: { text: 'Hel' } } });
  const [seen] = await aStream(t, wire, { after });

  wire.streams[0].send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(4));
  await until(() => seen.snapshots.length === 2);

  assert.equal(wire.streams[0].url.searchParams.get('after'), cursor(3));
  assert.deepEqual(seen.snapshots.map(text), ['Hel', 'Hello']);
});

test('a cut that EventSource mends by itself is told and nothing is asked', async (t) => {
  const wire = aWire();
  const [seen] = await aStream(t, wire);
  wire.streams[0].open();
  wire.streams[0].cut();
  wire.streams[0].open();
  await until(() => seen.connections.length === 3);
  assert.deepEqual(seen.connections, ['live', 'reconnecting', 'live']);
  assert.deepEqual([wire.streams.length, wire.requests.length], [1, 0]);
});

test('a stream closed for good is opened again from the last cursor', async (t) => {
  aClock(t);
  const now = aSnapshot({ seq: 2, state: 'running' });
  const wire = aWire({ answers: [anAnswer(now)] });
  await aStream(t, wire);

  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  wire.streams[0].cut({ forGood: true });
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  assert.equal(wire.streams[1].url.searchParams.get('after'), cursor(2));
});

test('a stream closed for good because the job has ended ends the watch', async (t) => {
  const wire = aWire({ answers: [anAnswer(aSnapshot({ seq: 9, state: 'completed' }))] });
  const [seen, stream] = await aStream(t, wire);
  stream.cut({ forGood: true });
  await until(() => seen.done);
  assert.deepEqual([seen.error, seen.snapshots.at(-1).state, wire.streams.length], [null, 'completed', 1]);
});

test('a job that is known to have ended is not asked for', async (t) => {
  const wire = aWire();
  const seen = aWatch(t, wire, { after: aSnapshot({ state: 'failed' }) });
  await until(() => seen.done);
  assert.deepEqual([seen.snapshots.length, wire.streams.length, wire.requests.length], [1, 0, 0]);
});

test('a job that is gone is an error', async (t) => {
  const wire = aWire({ answers: [anAnswer({ title: 'No such job', status: 404 }, { status: 404 })] });
  const [seen] = await aStream(t, wire);
  wire.streams[0].cut({ forGood: true });
  await until(() => seen.done);
  assert.equal(seen.error.status, 404);
});

test('a job deleted under its stream is an error', async (t) => {
  const wire = aWire();
  const [seen] = await aStream(t, wire);
  wire.streams[0].send('problem', { type: '/problems/job-not-found', title: 'No such job', status: 404 });
  await until(() => seen.done);
  assert.equal(seen.error.status, 404);
  assert.deepEqual(openStreams(wire), []);
});

test('a transient problem on the stream is left to EventSource', async (t) => {
  const wire = aWire();
  const [seen] = await aStream(t, wire);
  wire.streams[0].send('problem', { title: 'Busy', status: 503 });
  wire.streams[0].cut();
  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  await until(() => seen.snapshots.length === 1);
  assert.deepEqual([wire.streams.length, wire.requests.length, seen.error], [1, 0, null]);
});

test('a service that is away for a while does not end the watch', async (t) => {
  aClock(t);
  const wire = aWire();
  const [seen] = await aStream(t, wire);

  wire.streams[0].cut({ forGood: true });
  for (const tries of [2, 3, 4, 5]) {
    await until(() => wire.streams.length === tries, { clock: t.mock.timers, step: 100 });
    wire.streams.at(-1).cut({ forGood: true });
  }

  assert.ok(!seen.done);
  assert.ok(!seen.connections.includes('polling'));
});

test('a delta that leaves a gap is not folded: a fresh snapshot is asked for', async (t) => {
  aClock(t);
  const wire = aWire();
  const [seen] = await aStream(t, wire);

  wire.streams[0].send('snapshot', aSnapshot({ parts: { openai: { text: 'Hel' } } }), cursor(1));
  wire.streams[0].send('delta', { part: 'openai', text: 'o', at: 4 }, cursor(3));
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  assert.equal(wire.streams[1].url.searchParams.get('after'), null);
  assert.equal(wire.streams[0].readyState, 2);
  assert.deepEqual(seen.snapshots.map(text), ['Hel']);
});

test('a ping that tells of an update which never came leads to a new stream', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer(aSnapshot({ seq: 2 }))] });
  await aStream(t, wire);

  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  wire.streams[0].send('ping', { cursor: cursor(1), now: 't' });
  wire.streams[0].send('ping', { cursor: cursor(2), now: 't' });
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 1 });

  assert.equal(wire.streams[0].readyState, 2);
});

test('40 seconds of silence lead to a new stream, and pings are not silence', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer(aSnapshot())] });
  await aStream(t, wire);

  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  t.mock.timers.tick(39_000);
  wire.streams[0].send('ping', { cursor: cursor(1), now: 't' });
  t.mock.timers.tick(39_000);
  assert.equal(wire.streams[0].readyState, 0);

  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 1000 });
  assert.equal(wire.streams[0].readyState, 2);
});

test('a stream that brings nothing while asking works is left for polling', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'running' }))] });
  const seen = aWatch(t, wire);

  await until(() => seen.connections.includes('polling'), { clock: t.mock.timers, step: 1000 });

  assert.equal(wire.streams.length, 1);
  assert.deepEqual(openStreams(wire), []);
});

test('a stream that is refused twice while asking works is left for polling, and tried again later', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'running' }))] });
  const [seen] = await aStream(t, wire);

  wire.streams[0].cut({ forGood: true });
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });
  wire.streams[1].cut({ forGood: true });
  await until(() => seen.connections.includes('polling'), { clock: t.mock.timers, step: 50 });
  await until(() => wire.streams.length === 3, { clock: t.mock.timers, step: 1000 });
  wire.streams[2].send('snapshot', aSnapshot(), cursor(1));
  await until(() => wire.streams.length === 4, { clock: t.mock.timers, step: 50 });
  wire.streams[3].open();

  assert.equal(wire.streams[2].readyState, 2);
  assert.equal(wire.streams[3].url.searchParams.get('after'), cursor(1));
  await until(() => seen.connections.at(-1) === 'live');
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
  assert.deepEqual(seen.connections, ['polling', 'closed']);
});

test('a poll that is held as long as it may be is no silence, and nothing new is no failure', async (t) => {
  aClock(t);
  const wire = aWire();
  const fetch = () => new Promise((resolve) => {
    const answer = anAnswer(null, { status: 304, 'Preference-Applied': 'wait=25' });
    wire.requests.push(setTimeout(resolve, 25_000, answer));
  });
  const seen = aWatch(t, wire, { client: { EventSource: null, fetch }, after: aSnapshot({ state: 'running' }) });
  await until(() => wire.requests.length === 4, { clock: t.mock.timers, step: 1000 });
  assert.deepEqual(seen.connections, ['polling']);
});

test('a poll that had an answer is tried again soon when the next is lost, however often', async (t) => {
  aClock(t);
  const wire = aWire();
  const asked = [];
  const fetch = async () => {
    asked.push(Date.now());
    if (asked.length % 2 === 0) throw new TypeError('cut');
    return anAnswer(null, { status: 304, 'Preference-Applied': 'wait=25' });
  };
  aWatch(t, wire, { client: { EventSource: null, fetch }, after: aSnapshot({ state: 'running' }) });
  await until(() => asked.length === 20, { clock: t.mock.timers, step: 10 });
  const waits = asked.slice(1).map((at, index) => at - asked[index]);
  assert.ok(Math.max(...waits) < 500, `${waits}`); // of the mocked clock
});

test('an answer that was not held is asked for again no sooner than it says', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer(aSnapshot({ state: 'running' }), { 'Retry-After': '2' })] });
  const seen = aWatch(t, wire, { client: { EventSource: null } });

  await until(() => seen.snapshots.length === 1);
  t.mock.timers.tick(1999);
  assert.equal(wire.requests.length, 1);

  await until(() => wire.requests.length === 2, { clock: t.mock.timers, step: 1 });
});

test('an aborted watch ends quietly and closes its stream', async (t) => {
  const wire = aWire();
  const [seen] = await aStream(t, wire);
  seen.stop.abort();
  await until(() => seen.done);
  assert.equal(seen.error, null);
  assert.deepEqual(openStreams(wire), []);
});

test('a reader who leaves closes the stream', async () => {
  const wire = aWire();
  const watching = createClient({ baseUrl: BASE, WebSocket: null, ...wire }).watch(JOB);
  const first = watching.next();
  await until(() => wire.streams.length === 1);
  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  await first;
  await watching.return();
  assert.deepEqual(openStreams(wire), []);
});

test('a reader who is far behind skips to the newest snapshot, and nothing is missing in it', async () => {
  const wire = aWire();
  const watching = createClient({ baseUrl: BASE, WebSocket: null, ...wire }).watch(JOB);
  const first = watching.next();
  await until(() => wire.streams.length === 1);
  const [stream] = wire.streams;
  stream.send('snapshot', aSnapshot({ parts: { openai: {} } }), cursor(1));
  for (let seq = 2; seq < 1500; seq += 1) stream.send('delta', { part: 'openai', text: 'x', at: seq - 2 }, cursor(seq));
  stream.send('end', END, cursor(1500));

  const rest = [(await first).value];
  for await (const snapshot of watching) rest.push(snapshot);

  assert.ok(rest.length <= 1001);
  assert.deepEqual([rest.at(-1).state, text(rest.at(-1)).length], ['completed', 1498]);
});

test('a watch may be only listened to', async (t) => {
  const wire = aWire();
  const watch = createClient({ baseUrl: BASE, WebSocket: null, ...wire }).watch(JOB);
  const told = [];
  for (const type of ['update', 'snapshot', 'end']) {
    watch.on(type, (first) => told.push([type, first.event ?? first.seq]));
  }
  await until(() => wire.streams.length === 1);
  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  wire.streams[0].send('ping', { cursor: cursor(1), now: 't' });
  wire.streams[0].send('end', END, cursor(2));
  assert.deepEqual(told, [
    ['update', 'snapshot'], ['snapshot', 1], ['update', 'ping'], ['update', 'end'], ['snapshot', 2], ['end', 2],
  ]);
});

test('a listener that throws is reported, and stops neither another listener nor another watch', async (t) => {
  const reported = [];
  t.mock.method(globalThis, 'queueMicrotask', (act) => {
    Promise.resolve().then(act).catch(({ message }) => reported.push(message));
  });
  const wire = aWire();
  const client = createClient({ baseUrl: BASE, WebSocket: null, ...wire });
  t.after(() => client.close());
  const told = [];
  const [one, two] = [client.watch(JOB), client.watch(JOB)];
  for (const type of ['connection', 'snapshot']) {
    one.on(type, () => { throw new Error(`of ${type}`); });
    for (const watch of [one, two]) watch.on(type, () => told.push(type));
  }
  await until(() => wire.streams.length === 1);
  wire.streams[0].open();
  wire.streams[0].send('snapshot', aSnapshot(), cursor(1));
  await until(() => reported.length === 2);

  assert.deepEqual(reported, ['of connection', 'of snapshot']);
  assert.deepEqual(told, ['connection', 'connection', 'snapshot', 'snapshot']);
});

test('a watch may take longer than a timer of the runtime can', async (t) => {
  const [seen] = await aStream(t, aWire(), { timeout: 3_000_000 });
  await new Promise((resolve) => { setTimeout(resolve, 2); }); // a timer that overflows is due before
  assert.deepEqual([seen.done, seen.error], [false, null]);
});

test('a job that takes longer than the watch may is an error, and its stream is closed', async (t) => {
  aClock(t);
  const wire = aWire();
  const [seen] = await aStream(t, wire, { timeout: 30 });
  await until(() => seen.done, { clock: t.mock.timers, step: 1000 });
  assert.ok(seen.error instanceof TimedOut);
  assert.deepEqual(openStreams(wire), []);
});

test('whether the texts are whole is told once there is something to prove', async (t) => {
  const wire = aWire();
  const [seen, stream] = await aStream(t, wire);
  const sha256 = createHash('sha256').update('Hi').digest('hex');

  stream.send('snapshot', aSnapshot({ parts: { openai: { text: 'H' } } }), cursor(1));
  assert.equal(seen.watch.verified, null);
  stream.send('delta', { part: 'openai', text: 'i', at: 1 }, cursor(2));
  stream.send('end', { ...END, parts: { openai: { state: 'completed', length: 2, sha256 } } }, cursor(3));
  assert.equal(seen.watch.verified, true);
});

test('a text that is not what it should be is asked for once more, and then told to be damaged', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer(aSnapshot())] });
  const [seen] = await aStream(t, wire);
  const end = { ...END, parts: { openai: { state: 'completed', length: 2, sha256: 'no' } } };
  const whole = aSnapshot({ parts: { openai: { text: 'Hi' } } });

  wire.streams[0].send('snapshot', whole, cursor(1));
  wire.streams[0].send('end', end, cursor(2));
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });
  assert.deepEqual([wire.streams[1].url.searchParams.get('after'), seen.watch.verified], [null, null]);

  wire.streams[1].send('snapshot', whole, cursor(1));
  wire.streams[1].send('end', end, cursor(2));
  await until(() => seen.done);
  assert.deepEqual([seen.snapshots.at(-1).state, seen.watch.verified], ['completed', false]);
});

test('an update that comes twice is folded once', async (t) => {
  const wire = aWire();
  const [seen, stream] = await aStream(t, wire);
  stream.send('snapshot', aSnapshot({ parts: { openai: { text: '' } } }), cursor(1));
  for (const _ of [1, 2]) stream.send('part', { part: 'openai', text: 'Hi' }, cursor(2));
  await until(() => seen.snapshots.length === 2);
  assert.deepEqual(seen.snapshots.map(({ seq }) => seq), [1, 2]);
});

test('several jobs come by one stream, each from its place', async (t) => {
  const wire = aWire();
  const client = createClient({ baseUrl: BASE, WebSocket: null, ...wire });
  t.after(() => client.close());
  const after = aSnapshot({ id: 'job-1', seq: 300, parts: { openai: { text: 'Hel' } } });
  const one = client.watch('job-1', { after });
  const two = client.watch('job-2');
  await until(() => wire.streams.length === 1);
  const { pathname, searchParams } = wire.streams[0].url;

  assert.deepEqual([pathname, searchParams.getAll('job')], ['/v1/stream', ['job-1', 'job-2']]);
  assert.equal(searchParams.get('after'), wordOf(new Map([['job-1', cursor(300)]])));
  const word = wordOf(new Map([['job-1', cursor(301)], ['job-2', cursor(1)]]));
  wire.streams[0].send('delta', { job: 'job-1', seq: 301, part: 'openai', text: 'lo', at: 3 }, word);
  wire.streams[0].send('snapshot', { job: 'job-2', ...aSnapshot({ id: 'job-2' }) }, word);

  assert.deepEqual([text(one.snapshot), one.snapshot.seq, one.snapshot.job], ['Hello', 301, undefined]);
  assert.deepEqual(two.snapshot, aSnapshot({ id: 'job-2' }));
});

test('a job that comes later joins the others, which go on from where they are', async (t) => {
  aClock(t);
  const wire = aWire();
  const client = createClient({ baseUrl: BASE, WebSocket: null, ...wire });
  t.after(() => client.close());
  client.watch('job-1');
  await until(() => wire.streams.length === 1);
  wire.streams[0].send('snapshot', aSnapshot({ id: 'job-1', seq: 7 }), cursor(7));
  client.watch('job-2');
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 10 });

  assert.deepEqual(wire.streams[1].url.searchParams.getAll('job'), ['job-1', 'job-2']);
  assert.equal(wire.streams[1].url.searchParams.get('after'), wordOf(new Map([['job-1', cursor(7)]])));
  assert.equal(wire.streams[0].readyState, 2);
});

test('a job that this token does not read leaves the others alone', async (t) => {
  const wire = aWire();
  const client = createClient({ baseUrl: BASE, WebSocket: null, ...wire });
  t.after(() => client.close());
  const [mine, foreign] = [client.watch('job-1'), client.watch('job-2')];
  let error;
  foreign.on('error', (told) => { error = told; });
  await until(() => wire.streams.length === 1);
  wire.streams[0].send('problem', { job: 'job-2', title: 'No such job', status: 404 });
  const word = wordOf(new Map([['job-1', cursor(1)]]));
  wire.streams[0].send('snapshot', { job: 'job-1', ...aSnapshot({ id: 'job-1' }) }, word);

  assert.deepEqual([error.status, mine.snapshot.id], [404, 'job-1']);
});

test('a token about to expire is renewed, and the stream goes on from its place', async (t) => {
  aClock(t);
  const wire = aWire({ answers: [anAnswer({ token: 'two' }, { status: 201 })] });
  await aStream(t, wire, { token: 'one' });
  wire.streams[0].send('snapshot', aSnapshot({ seq: 4 }), cursor(4));
  wire.streams[0].send('bye', { reason: 'unauthorized' });
  await until(() => wire.streams.length === 2, { clock: t.mock.timers, step: 50 });

  const [{ url, headers }] = wire.requests;
  assert.deepEqual([url.pathname, headers.Authorization], [`/v1/jobs/${JOB}/token`, 'Bearer one']);
  const asked = wire.streams.map(({ url: { searchParams } }) => [searchParams.get('token'), searchParams.get('after')]);
  assert.deepEqual(asked, [['one', null], ['two', cursor(4)]]);
});

test('a reload goes on from the snapshot that was kept, and what has ended is forgotten', async (t) => {
  const memory = aStorage();
  const before = aWire();
  const left = createClient({ baseUrl: BASE, WebSocket: null, memory, ...before });
  const kept = aSnapshot({ seq: 5, parts: { openai: { text: 'Hel' } } });
  left.watch(JOB, { after: kept });
  memory.setItem(`jobstream:${BASE}:${JOB}`, JSON.stringify(kept)); // as `pagehide` does
  left.close();

  const wire = aWire();
  const client = createClient({ baseUrl: BASE, WebSocket: null, memory, ...wire });
  assert.deepEqual(client.unfinished(), [JOB]);
  const watch = client.watch(JOB);
  await until(() => wire.streams.length === 1);
  assert.equal(wire.streams[0].url.searchParams.get('after'), cursor(5));
  wire.streams[0].send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(6));
  wire.streams[0].send('end', END, cursor(7));

  assert.equal(text(watch.snapshot), 'Hello');
  assert.deepEqual(client.unfinished(), []);
});

test('the stream token of a submission is not kept', async (t) => {
  const memory = aStorage();
  const submitted = { ...aSnapshot(), stream_token: 'secret' };
  const [seen] = await aStream(t, aWire(), { client: { memory }, after: submitted });
  assert.deepEqual(JSON.parse(memory.getItem(`jobstream:${BASE}:${JOB}`)), aSnapshot());
  assert.deepEqual(seen.watch.snapshot, aSnapshot());
});

/** A tab's storage. */
function aStorage() {
  const kept = new Map();
  return {
    get length() { return kept.size; },
    key: (index) => [...kept.keys()][index],
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, value); },
    removeItem: (key) => { kept.delete(key); },
  };
}
