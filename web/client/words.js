/**
 * The cursor of a stream over many jobs: `m.` and, in base64url, for each job a 4-byte tag of its id, its seq as a
 * varint and a 4-byte check of its cursor. A client needs to look inside where the jobs of its stream change.
 */

import { digest } from './sha256.js';

const PREFIX = 'm.';
const TAG_BYTES = 4;

/** @param {string} cursor */
export function isWord(cursor) {
  return cursor.startsWith(PREFIX);
}

/**
 * One word for all the places, each a job's own cursor or a word that holds the job; a job without a place is left
 * out, and gets a snapshot.
 *
 * @param {Map<string, string>} places
 * @returns {string} empty if there is no place at all
 */
export function wordOf(places) {
  const marks = Array.from(places, ([job, cursor]) => markOf(cursor, job)).filter((mark) => mark !== null);
  return marks.length ? PREFIX + encoded(marks.join('')) : '';
}

/**
 * Whether both name the same place in the job; neither a word without the job nor no cursor at all contradicts.
 *
 * @param {string} one @param {string} other @param {string} job
 */
export function samePlace(one, other, job) {
  const [a, b] = [markOf(one, job), markOf(other, job)];
  return a === b || a === null || b === null;
}

/** @param {string} cursor a plain one @returns {number} */
export function seqOf(cursor) {
  return Number(cursor.split('-')[1]);
}

/** @param {string} cursor @param {string} job @returns {string | null} one job's mark, as a string of bytes */
function markOf(cursor, job) {
  if (!cursor) return null;
  const tag = tagOf(job);
  if (!isWord(cursor)) return tag + varint(seqOf(cursor)) + bytesOf(cursor);
  return marksIn(cursor).find((mark) => mark.startsWith(tag)) ?? null;
}

/** @param {string} word */
function marksIn(word) {
  const packed = atob(word.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
  const marks = [];
  for (let at = 0, end; at < packed.length; at = end) {
    end = at + TAG_BYTES;
    while (packed.charCodeAt(end) >= 0x80) end += 1;
    end += 1 + TAG_BYTES;
    marks.push(packed.slice(at, end));
  }
  return marks;
}

/** @type {Map<string, string>} */
const tags = new Map();
const MOST_TAGS = 1000;

/** @param {string} job */
function tagOf(job) {
  const known = tags.get(job) ?? bytesOf(job);
  if (tags.size >= MOST_TAGS) tags.clear();
  tags.set(job, known);
  return known;
}

/** @param {string} text */
function bytesOf(text) {
  return String.fromCharCode(...digest(text).subarray(0, TAG_BYTES));
}

/** @param {number} number */
function varint(number) {
  let written = '';
  let left = number;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) written += String.fromCharCode((left % 0x80) | 0x80);
  return written + String.fromCharCode(left);
}

/** @param {string} bytes */
function encoded(bytes) {
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
