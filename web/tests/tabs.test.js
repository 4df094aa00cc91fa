import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from '../client.js';
import { wordOf } from '../client/words.js';
import { aSnapshot, cursor, JOB } from './a-job.js';
import { someLocks } from './fake-locks.js';
import { aWire, anAnswer, until } from './fake-wire.js';

const END = { state: 'completed', result: {}, error: null, finished_at: 'f', expires_at: 'e', parts: {} };
const OTHER = 'job-of-another-tab';
const text = ({ snapshot }) => snapshot?.parts.openai?.text;
const openStreams = ({ streams }) => streams.filter(({ readyState }) => readyState !== 2);

let browsers = 0;

/** The tabs of one browser, each with a wire of its own; all are closed after the test. */
function aBrowser(t) {
  const share = `browser-${browsers += 1}`;
  const locks = someLocks();
  const said = [];
  const overhearing = new BroadcastChannel(`jobstream:${share}`);
  overhearing.onmessage = ({ data }) => said.push(data);
  t.after(() => overhearing.close());

  function tab({ answers = [], pace = {}, ...options } = {}) {
    const wire = aWire({ answers });
    const client = createClient({
      baseUrl: 'http://localhost:8888', share, locks, WebSocket: null, pace, ...wire, ...options,
    });
    t.after(() => client.close());
    return { client, wire, watch: client.watch };
  }

  /** Returns when so many tabs have agreed with a leader that they are at the same place. */
  const agreed = (tabs) => until(() => {
    const pairs = said.filter(({ type }) => type === 'go').map(({ from, to }) => `${from} ${to}`);
    return new Set(pairs).size >= tabs;
  });

  return { tab, said, say: (message) => overhearing.postMessage(message), agreed, locks, share };
}

/** A tab that leads, with a stream of its job. */
async function leading(browser, options) {
  const tab = browser.tab(options);
  const watch = tab.watch(JOB);
  await until(() => tab.wire.streams.length === 1);
  tab.wire.streams[0].open();
  tab.wire.streams[0].send('snapshot', aSnapshot({ parts: { openai: { text: 'Hel' } } }), cursor(1));
  return { ...tab, watching: watch, stream: tab.wire.streams[0] };
}

test('a second tab is told of the same job by the first, and opens nothing', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser);
  const second = browser.tab();
  const watch = second.watch(JOB);
  await until(() => text(watch) === 'Hel');
  await browser.agreed(1);

  first.stream.send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(2));
  first.stream.send('end', END, cursor(3));
  await until(() => watch.snapshot.state === 'completed');

  assert.equal(text(watch), 'Hello');
  assert.deepEqual([second.wire.streams.length, second.wire.requests.length, first.wire.streams.length], [0, 0, 1]);
});

test('whoever comes to a job that is live is told so, in the same tab and in another', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser);
  await until(() => first.watching.connection === 'live');
  const [beside, second] = [first.watch(JOB), browser.tab().watch(JOB)];
  await until(() => text(beside) === 'Hel' && text(second) === 'Hel');
  await until(() => beside.connection === 'live' && second.connection === 'live');
});

test('a job of a second tab joins the connection of the first, which goes on from where it is', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser);
  const watch = browser.tab().watch(OTHER);
  await until(() => first.wire.streams.length === 2);

  const { searchParams } = first.wire.streams[1].url;
  assert.deepEqual(searchParams.getAll('job'), [JOB, OTHER]);
  assert.equal(searchParams.get('after'), wordOf(new Map([[JOB, cursor(1)]])));
  assert.equal(openStreams(first.wire).length, 1);

  const word = wordOf(new Map([[JOB, cursor(1)], [OTHER, cursor(4)]]));
  first.wire.streams[1].send('snapshot', { job: OTHER, ...aSnapshot({ id: OTHER, seq: 4 }) }, word);
  await until(() => watch.snapshot?.id === OTHER);
  assert.equal(text(first.watching), 'Hel');
});

test('when the leading tab is closed another goes on from where it is', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser);
  const second = browser.tab();
  const watch = second.watch(JOB);
  await until(() => text(watch) === 'Hel');
  first.stream.send('delta', { part: 'openai', text: 'l', at: 3 }, cursor(2));
  await until(() => text(watch) === 'Hell');

  first.client.close();
  await until(() => second.wire.streams.length === 1);
  second.wire.streams[0].send('delta', { part: 'openai', text: 'o', at: 4 }, cursor(3));

  assert.equal(second.wire.streams[0].url.searchParams.get('after'), cursor(2));
  assert.equal(text(watch), 'Hello');
});

test('a tab that is behind its new leader is given a snapshot, and one at the same place none', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser);
  const [near, far] = [browser.tab(), browser.tab()];
  const [watchNear, watchFar] = [near, far].map((tab) => {
    const watch = tab.watch(JOB);
    watch.snapshots = 0;
    watch.on('update', ({ event }) => { watch.snapshots += event === 'snapshot'; });
    return watch;
  });
  await until(() => text(watchNear) && text(watchFar));
  await browser.agreed(2);
  first.client.close();
  await until(() => near.wire.streams.length === 1);
  await browser.agreed(3);
  near.wire.streams[0].send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(2));
  await until(() => text(watchFar) === 'Hello');
  assert.deepEqual([watchNear.snapshots, watchFar.snapshots], [1, 1]);

  const late = browser.tab().watch(JOB, { after: aSnapshot({ parts: { openai: { text: 'Hel' } } }) });
  await until(() => text(late) === 'Hello');
  assert.equal(near.wire.streams.length, 1);
});

test('a leading tab that does not answer loses its place to one that asks', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  const browser = aBrowser(t);
  browser.locks.request(`jobstream:${browser.share}`, () => new Promise(() => {})).catch(() => {}); // it is frozen
  const awake = browser.tab();
  awake.watch(JOB);
  await until(() => awake.wire.streams.length === 1, { clock: t.mock.timers, step: 100, turns: Infinity });
});

test('a tab takes nothing from a leader with whom it has not agreed on the place', async (t) => {
  const browser = aBrowser(t);
  await leading(browser);
  const watch = browser.tab().watch(JOB);
  await until(() => text(watch) === 'Hel');
  await browser.agreed(1);

  const update = { job: JOB, id: cursor(3), seq: 3, event: 'progress', data: { percent: 3 } };
  browser.say({ from: 'another', term: Date.now() + 1e6, type: 'update', update }); // what was 2 it doesn't know
  const wants = browser.said.filter(({ type }) => type === 'want').length;
  await until(() => browser.said.filter(({ type }) => type === 'want').length > wants);

  assert.deepEqual([watch.snapshot.seq, watch.snapshot.progress], [1, {}]);
});

test('a tab whose place is taken follows whoever took it', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser);
  const second = browser.tab();
  const watch = second.watch(JOB);
  await until(() => text(watch) === 'Hel');

  browser.locks.request(`jobstream:${browser.share}`, { steal: true }, async () => {}); // and lets go at once
  await until(() => second.wire.streams.length === 1);
  second.wire.streams[0].send('delta', { part: 'openai', text: 'lo', at: 3 }, cursor(2));
  await until(() => text(first.watching) === 'Hello');

  assert.deepEqual(openStreams(first.wire), []);
});

test('a job that the leading tab may not read is read by the tab that may', async (t) => {
  const browser = aBrowser(t);
  const first = await leading(browser, { token: 'mine' });
  const second = browser.tab({ token: 'theirs' });
  const watch = second.watch(OTHER);
  await until(() => first.wire.streams.length === 2);
  first.wire.streams[1].send('problem', { job: OTHER, title: 'No such job', status: 404 });
  await until(() => second.wire.streams.length === 1);
  second.wire.streams[0].send('snapshot', aSnapshot({ id: OTHER }), cursor(1));

  assert.equal(second.wire.streams[0].url.searchParams.get('token'), 'theirs');
  assert.equal(watch.snapshot.id, OTHER);
});

test('a job that comes with a token of its own is not shared, and no token leaves its tab', async (t) => {
  const browser = aBrowser(t);
  await leading(browser, { token: 'of-the-first' });
  const second = browser.tab({ token: 'of-the-second' });
  second.watch(JOB);
  second.watch(OTHER, { token: 'of-the-job' });
  await until(() => second.wire.streams.length === 1 && browser.said.some(({ type }) => type === 'want'));

  assert.equal(second.wire.streams[0].url.searchParams.get('token'), 'of-the-job');
  assert.ok(browser.said.length > 1);
  assert.ok(!/of-the/.test(JSON.stringify(browser.said)));
});

test('the stream token of a submission is not told to other tabs', async (t) => {
  const browser = aBrowser(t);
  const first = browser.tab();
  first.watch(JOB, { after: { ...aSnapshot({ seq: 2 }), stream_token: 'of-the-job' } });
  await until(() => first.wire.streams.length === 1);
  const watch = browser.tab().watch(JOB);
  await until(() => watch.snapshot);

  assert.deepEqual(watch.snapshot, aSnapshot({ seq: 2 }));
  assert.ok(!/of-the/.test(JSON.stringify(browser.said)));
});

test('more jobs than one stream takes go by a second one', async (t) => {
  const browser = aBrowser(t);
  const tab = browser.tab();
  for (let at = 0; at < 33; at += 1) tab.watch(`job-${at}`);
  await until(() => tab.wire.streams.length === 2);
  const named = tab.wire.streams.map(({ url }) => url.searchParams.getAll('job').length || 1);
  assert.deepEqual(named.toSorted((a, b) => a - b), [1, 32]);
});

test('what a tab no longer watches when it is gone is followed no more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  const browser = aBrowser(t);
  const patient = { first: 1e6, resumed: 1e6, silence: 1e6 }; // however far the clock is moved on meanwhile
  const first = await leading(browser, { pace: patient });
  const second = browser.tab({ answers: [anAnswer(aSnapshot({ id: OTHER }))] });
  second.watch(OTHER);
  await until(() => first.wire.streams.length === 2, { clock: t.mock.timers, step: 10, turns: Infinity });
  second.client.close();
  await until(() => first.wire.streams.length === 3, { clock: t.mock.timers, step: 100, turns: Infinity });

  assert.deepEqual(first.wire.streams[2].url.pathname, `/v1/jobs/${JOB}/stream`);
});
