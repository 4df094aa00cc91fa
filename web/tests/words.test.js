import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { hexDigest } from '../client/sha256.js';
import { samePlace, seqOf, wordOf } from '../client/words.js';
import { cursor } from './a-job.js';

const hashOf = (text) => createHash('sha256').update(text, 'utf8').digest('hex');

test('a digest is that of the UTF-8, whatever its length', () => {
  for (let length = 0; length < 300; length += 1) {
    const text = 'Grüße 👋 '.repeat(40).slice(0, length);
    assert.equal(hexDigest(text), hashOf(text), `${length}`);
  }
  const long = 'x'.repeat(1_000_000);
  assert.equal(hexDigest(long), hashOf(long));
});

test('the word of many places is tag, seq and check of each, and can be put together anew', () => {
  const places = new Map([['job-a', '1795301981123456-1'], ['job-b', '1795301981123456-300']]);
  const bytes = Buffer.from(wordOf(places).slice(2), 'base64url');
  const four = (text) => Buffer.from(hashOf(text).slice(0, 8), 'hex');
  assert.deepEqual(bytes, Buffer.concat([
    four('job-a'), Buffer.from([1]), four('1795301981123456-1'),
    four('job-b'), Buffer.from([0xac, 0x02]), four('1795301981123456-300'),
  ]));

  const word = wordOf(places);
  assert.equal(wordOf(new Map([['job-a', word], ['job-b', word]])), word);
  assert.equal(wordOf(new Map([['job-b', word]])), wordOf(new Map([['job-b', places.get('job-b')]])));
  assert.equal(wordOf(new Map([['job-c', word], ['job-d', '']])), '');
});

test('a place is the same in a word and by itself', () => {
  const word = wordOf(new Map([['job-a', cursor(7)], ['job-b', cursor(9)]]));
  assert.equal(samePlace(word, cursor(7), 'job-a'), true);
  assert.equal(samePlace(word, cursor(8), 'job-a'), false);
  assert.equal(samePlace(word, cursor(9), 'job-a'), false);
  assert.equal(samePlace(word, '', 'job-a'), true);
  assert.equal(samePlace(word, cursor(7), 'job-c'), true);
  assert.equal(seqOf(cursor(7)), 7);
});
