import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runsOf, totalsOf, waterfallOf } from '../operator/waterfall.js';

const BEGAN = Date.parse('2026-11-21T10:00:00.000Z');
const time = (seconds) => new Date(BEGAN + seconds * 1000).toISOString();
const seconds = ({ from, to, first }) => [from, to, first].map((moment) => (moment === null ? null : (moment - BEGAN) / 1000));

function attempt(changes) {
  return { run: 1, attempt: 1, worker: 'w', started_at: time(2), finished_at: time(9), outcome: 'completed', error_type: null, ...changes };
}

function step(name, from, to, changes = {}) {
  return { name, state: 'completed', attempt: 1, started_at: time(from), finished_at: to === null ? null : time(to), ...changes };
}

function call(name, changes) {
  return {
    part: null, step: name, provider: null, model: 'm', attempt: 1, started_at: null, elapsed: null, first_token: null,
    input_tokens: null, output_tokens: null, cost: null, ...changes,
  };
}

function aJob({ attempts = [attempt()], steps = [], calls = [], parts = {} } = {}) {
  return { job: { created_at: time(0), parts }, attempts, steps, calls };
}

test('a run begins with the wait for a worker, and each attempt is followed by its own steps', () => {
  const attempts = [attempt({ finished_at: time(4), outcome: 'retrying' }), attempt({ attempt: 2, started_at: time(6) })];
  const steps = [step('store', 7, 8), step('fetch', 2, 3)];

  const { bars, from, to } = waterfallOf(aJob({ attempts, steps }), 1, BEGAN);

  assert.deepEqual(bars.map(({ name }) => name), ['Waiting for a worker', 'Attempt 1', 'fetch', 'Attempt 2', 'store']);
  assert.deepEqual(bars.map(({ state }) => state), ['queued', 'retrying', 'completed', 'completed', 'completed']);
  assert.deepEqual(seconds({ from, to, first: null }), [0, 9, null]);
});

test('a job that no worker has begun waits until now', () => {
  const { bars } = waterfallOf(aJob({ attempts: [] }), 1, BEGAN + 5000);
  assert.deepEqual(bars.map(seconds), [[0, 5, null]]);
});

test('what still goes on reaches to now', () => {
  const told = aJob({ attempts: [attempt({ finished_at: null, outcome: null })], steps: [step('a', 3, null, { state: 'running' })] });
  const { bars } = waterfallOf(told, 1, BEGAN + 6000);
  assert.deepEqual(bars.slice(1).map(seconds), [[2, 6, null], [3, 6, null]]);
  assert.equal(bars[1].state, 'running');
});

test('the only call of a step shares its bar, with its first token', () => {
  const calls = [call('answer.openai', { part: 'openai', started_at: time(3), elapsed: 2, first_token: 0.5 })];
  const { bars } = waterfallOf(aJob({ steps: [step('answer.openai', 3, 5)], calls }), 1, BEGAN);
  assert.deepEqual(bars.slice(2).map(({ what, note }) => [what, note]), [['step', 'm']]);
  assert.deepEqual(seconds(bars[2]), [3, 5, 3.5]);
});

test('the first token of an answer that took several tries is that of the last one', () => {
  const calls = [call('answer.openai', { part: 'openai', started_at: time(3), elapsed: 1, first_token: 0.25 })];
  const { bars } = waterfallOf(aJob({ steps: [step('answer.openai', 3, 8)], calls }), 1, BEGAN);
  assert.deepEqual(seconds(bars[2]), [3, 8, 7.25]);
});

test('several calls of a step stand below it', () => {
  const calls = ['a', 'b'].map((part) => call('think', { part, started_at: time(3), elapsed: 1 }));
  const parts = { a: { state: 'completed', attempt: 1 }, b: { state: 'completed', attempt: 2 } };
  const { bars } = waterfallOf(aJob({ steps: [step('think', 3, 6)], calls, parts }), 1, BEGAN);
  assert.deepEqual(bars.slice(2).map(({ what, depth }) => [what, depth]), [['step', 1], ['call', 2], ['call', 2]]);
  assert.equal(bars[4].note, 'm · 2 tries');
});

test('a call without a time of its own has no place, and stands as its part does', () => {
  const told = aJob({ calls: [call('answer.google', { part: 'google' })], parts: { google: { state: 'failed' } } });
  const { bars } = waterfallOf(told, 1, BEGAN);
  assert.deepEqual(seconds(bars.at(-1)), [null, null, null]);
  assert.deepEqual([bars.at(-1).name, bars.at(-1).state], ['google', 'failed']);
});

test('a later run has a scale of its own, and names what an earlier one did', () => {
  const attempts = [attempt({ outcome: 'failed' }), attempt({ run: 2, started_at: time(5000), finished_at: time(5003) })];
  const told = aJob({ attempts, steps: [step('fetch', 3, 4), step('store', 5001, 5002)] });

  const later = waterfallOf(told, 2, BEGAN);
  const earlier = waterfallOf(told, 1, BEGAN);

  assert.deepEqual(seconds({ ...later, first: null }), [5000, 5003, null]);
  assert.deepEqual(later.bars.map(({ name }) => name), ['Attempt 1', 'store']);
  assert.deepEqual(later.kept, ['fetch']);
  assert.deepEqual(earlier.bars.map(({ name }) => name), ['Waiting for a worker', 'Attempt 1', 'fetch']);
  assert.deepEqual(runsOf(attempts), [2, 1]);
});

test('the cost of all calls is known as far as any is', () => {
  const calls = [call('a', { input_tokens: 3, output_tokens: 5, cost: 0.25 }), call('b', { input_tokens: 4, output_tokens: 1 })];
  assert.deepEqual(totalsOf(calls), { input: 7, output: 6, cost: 0.25 });
  assert.equal(totalsOf(calls.slice(1)).cost, null);
});
