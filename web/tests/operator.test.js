import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hashOf, placeOf } from '../operator/place.js';
import { advanced, tookOf } from '../operator/rows.js';
import { bytes } from '../operator/sizes.js';

const ROW = { id: 'a', state: 'queued', run: 1, attempt: 0, started_at: null, finished_at: null, progress: { percent: 1, total: 9 }, error: null, error_type: null };

test('an address leads back to the place that it was made of', () => {
  const query = { kind: 'chat', subject: 'a&b=c #?/é' };
  assert.deepEqual(placeOf(hashOf('jobs', query)), { view: 'jobs', id: undefined, query });
  assert.deepEqual(placeOf('#/jobs/job-0123456789abcdef'), { view: 'jobs', id: 'job-0123456789abcdef', query: {} });
});

test('what is empty is left out of an address', () => {
  assert.equal(hashOf('jobs', { kind: '', state: undefined, cursor: 'x' }), '#/jobs?cursor=x');
  assert.equal(hashOf('kinds'), '#/kinds');
});

test('an address that names no place has an empty view', () => {
  for (const hash of ['', '#', '#/', '#/jobs/../x', '#/jobs/short', '#main']) assert.equal(placeOf(hash).view, '');
});

test('a row follows its job from state to state, and takes only progress that it is told', () => {
  const running = advanced(ROW, 'state', { job: 'a', seq: 2, state: 'running', run: 1, attempt: 1, started_at: 't', error: null });
  const further = advanced(running, 'progress', { job: 'a', seq: 3, percent: 50 });
  const failed = advanced(further, 'end', { job: 'a', seq: 4, state: 'failed', error: { type: 'poison' }, finished_at: 'u', result: 'secret' });

  assert.deepEqual([running.state, running.started_at], ['running', 't']);
  assert.deepEqual(further.progress, { percent: 50, total: 9 });
  assert.deepEqual([failed.state, failed.error_type, failed.finished_at], ['failed', 'poison', 'u']);
  assert.ok(!('result' in failed));
});

test('a row takes nothing from the texts of its job', () => {
  assert.equal(advanced(ROW, 'delta', { text: 'secret' }), ROW);
  const told = { ...ROW, state: 'running', parts: { openai: { text: 'secret' } }, result: 'secret' };
  assert.ok(!JSON.stringify(advanced(ROW, 'snapshot', told)).includes('secret'));
});

test('a job has taken as long as it ran, or runs until now', () => {
  const began = '2026-11-21T10:00:00.000Z';
  assert.equal(tookOf({ started_at: began, finished_at: '2026-11-21T10:00:02.500Z' }, 0), 2.5);
  assert.equal(tookOf({ started_at: began, finished_at: null }, Date.parse(began) + 4000), 4);
  assert.equal(tookOf({ started_at: null, finished_at: null }, 0), null);
});

test('sizes are told in the unit that fits', () => {
  assert.deepEqual([0, 812, 1024, 4_400_000, 3 * 1024 ** 3].map(bytes), ['0 B', '812 B', '1.0 KiB', '4.2 MiB', '3.0 GiB']);
});
