import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { fold, follows, verify } from '../client/fold.js';
import { aSnapshot, cursor } from './a-job.js';

const hashOf = (text) => createHash('sha256').update(text, 'utf8').digest('hex');
const running = aSnapshot({ state: 'running', parts: { openai: { state: 'running', text: 'Hel', attempt: 1 } } });

test('a snapshot replaces everything and leaves its reason behind', () => {
  const other = aSnapshot({ state: 'queued', metadata: { a: 'b' } });
  assert.deepEqual(fold(running, 'snapshot', { ...other, reason: 'gap' }), other);
});

test('a state update sets what it names and keeps no reason', () => {
  const told = { state: 'retrying', run: 1, attempt: 2, next_attempt_at: 't', started_at: 's', error: null };
  const folded = fold(running, 'state', { ...told, reason: 'x' });
  assert.equal(folded.state, 'retrying');
  assert.equal(folded.next_attempt_at, 't');
  assert.ok(!('reason' in folded));
  assert.equal(folded.parts, running.parts);
});

test('a new run forgets result, end and progress, and keeps steps and parts', () => {
  const steps = [{ name: 'a' }];
  const ended = { ...running, result: {}, finished_at: 't', expires_at: 't', progress: { percent: 9 }, steps };
  const folded = fold(ended, 'state', { state: 'queued', run: 2, attempt: 0, from: 'kept' });
  assert.deepEqual([folded.result, folded.finished_at, folded.expires_at], [null, null, null]);
  assert.deepEqual(folded.progress, {});
  assert.deepEqual([folded.steps, folded.parts], [ended.steps, ended.parts]);
  assert.ok(!('from' in folded));
});

test('a new run from the start forgets steps and parts too', () => {
  const folded = fold({ ...running, steps: [{ name: 'a' }] }, 'state', { state: 'queued', run: 2, from: 'start' });
  assert.deepEqual([folded.steps, folded.parts], [[], {}]);
});

test('progress merges', () => {
  const folded = fold({ ...running, progress: { percent: 1, message: 'm' } }, 'progress', { percent: 2 });
  assert.deepEqual(folded.progress, { percent: 2, message: 'm' });
});

test('a step replaces the one of its name and is added otherwise', () => {
  const one = fold(running, 'step', { name: 'fetch', state: 'running' });
  const two = fold(one, 'step', { name: 'store', state: 'running' });
  const three = fold(two, 'step', { name: 'fetch', state: 'completed' });
  assert.deepEqual(three.steps, [{ name: 'fetch', state: 'completed' }, { name: 'store', state: 'running' }]);
});

test('a part that starts again loses the text of its earlier attempt', () => {
  const folded = fold(running, 'part', { part: 'openai', state: 'running', attempt: 2, text: '' });
  assert.deepEqual([folded.parts.openai.text, folded.parts.openai.attempt], ['', 2]);
});

test('a part that completes keeps its text', () => {
  const folded = fold(running, 'part', { part: 'openai', state: 'completed', length: 3, sha256: hashOf('Hel') });
  assert.deepEqual([folded.parts.openai.text, folded.parts.openai.length], ['Hel', 3]);
});

test('a part heard of for the first time has every field', () => {
  const folded = fold(aSnapshot(), 'part', { part: 'google', state: 'running', text: '' });
  assert.deepEqual(Object.keys(folded.parts.google).sort(), Object.keys(running.parts.openai).sort());
});

test('a delta appends, and leaves the other parts the same objects', () => {
  const two = fold(running, 'part', { part: 'google', state: 'running', text: 'x' });
  const folded = fold(two, 'delta', { part: 'openai', text: 'lo', at: 3 });
  assert.equal(folded.parts.openai.text, 'Hello');
  assert.equal(folded.parts.google, two.parts.google);
  assert.equal(running.parts.openai.text, 'Hel');
});

test('an end sets the outcome, fails running steps and merges the parts', () => {
  const steps = [{ name: 'a', state: 'running' }, { name: 'b', state: 'completed' }];
  const before = { ...running, next_attempt_at: 't', steps };
  const folded = fold(before, 'end', {
    state: 'cancelled', result: null, error: null, finished_at: 'f', expires_at: 'e',
    parts: { openai: { state: 'cancelled', length: null, sha256: null } },
  });
  const { state, finished_at: finished, expires_at: expires, next_attempt_at: next } = folded;
  assert.deepEqual([state, finished, expires, next], ['cancelled', 'f', 'e', null]);
  assert.deepEqual(folded.steps.map((step) => step.state), ['failed', 'completed']);
  assert.deepEqual([folded.parts.openai.state, folded.parts.openai.text], ['cancelled', 'Hel']);
});

test('an update with an id moves seq and cursor', () => {
  const folded = fold(running, 'delta', { part: 'openai', text: 'lo', at: 3 }, { id: cursor(9), seq: 9 });
  assert.deepEqual([folded.seq, folded.cursor], [9, cursor(9)]);
});

for (const event of ['ping', 'bye', 'problem', 'a-type-of-tomorrow', 'toString', '__proto__']) {
  test(`an update of type ${event} changes nothing`, () => {
    assert.equal(fold(running, event, { text: 'x' }), running);
  });
}

test('an update of a type of tomorrow moves the place alone', () => {
  const folded = fold(running, 'a-type-of-tomorrow', { text: 'x' }, { id: cursor(9), seq: 9 });
  assert.deepEqual(folded, { ...running, cursor: cursor(9), seq: 9 });
});

test('a delta follows only at the length of the text before it, counted in UTF-16', () => {
  const one = fold(running, 'part', { part: 'openai', text: '👋' });
  assert.equal(follows(one, { event: 'delta', data: { part: 'openai', text: '!', at: 2 } }), true);
  assert.equal(follows(one, { event: 'delta', data: { part: 'openai', text: '!', at: 1 } }), false);
  assert.equal(follows(one, { event: 'delta', data: { part: 'openai', text: '!', at: 3 } }), false);
});

test('a part may have the name of anything that objects have', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const begun = fold(running, 'delta', { part: name, text: 'a', at: 0 });
    const folded = fold(begun, 'delta', { part: name, text: 'b', at: 1 });
    assert.equal(Object.getOwnPropertyDescriptor(folded.parts, name).value.text, 'ab');
    assert.deepEqual(verify(folded), {});
  }
});

test('nothing but a snapshot follows nothing', () => {
  assert.equal(follows(null, { event: 'state', data: {} }), false);
  assert.equal(follows(null, { event: 'snapshot', data: {} }), true);
  assert.equal(follows(null, { event: 'ping', data: {} }), true);
});

test('a text is proven by its length and its SHA-256', () => {
  const text = 'Grüße 👋';
  const part = (changes) => ({ state: 'completed', text, length: text.length, sha256: hashOf(text), ...changes });
  const snapshot = aSnapshot({
    parts: {
      whole: part(), cut: part({ text: 'Grüße' }), other: part({ text: 'Gruße 👋' }), unended: part({ sha256: null }),
    },
  });
  assert.deepEqual(verify(snapshot), { whole: true, cut: false, other: false });
});
