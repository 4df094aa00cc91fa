/** Reading Markdown that is still being written, at a cost that depends on its last blocks and not on its length. */

import { Marked } from 'marked';

const marked = new Marked({ gfm: true, breaks: true });
const OPEN_BLOCKS = 2; // what comes next can still change the last block, and make it join the one before
const LONGEST_OPEN = 20_000; // characters; beyond that reading could take longer than a frame, so it stays plain

/**
 * @typedef {import('marked').Token} Token
 * @typedef {{source: string, settled: Token[], open: Token[]}} Reading `source` is the text of the settled blocks
 */

/** @type {Reading} */
const NOTHING = { source: '', settled: [], open: [] };

/**
 * The blocks of a text; given what was read of its beginning, only the open ones are read again.
 *
 * Settled blocks stay the same objects, so that whoever shows them can tell that nothing changed. A link definition
 * serves the blocks that are read together with it.
 *
 * @param {string} text
 * @param {Reading} [before]
 * @returns {Reading}
 */
export function read(text, before = NOTHING) {
  const whole = text.replace(/\r\n?/g, '\n');
  const known = whole.startsWith(before.source) ? before : NOTHING;
  const blocks = blocksOf(whole.slice(known.source.length));
  const open = startOfOpen(blocks);
  return {
    source: known.source + blocks.slice(0, open).map(({ raw }) => raw).join(''),
    settled: [...known.settled, ...blocks.slice(0, open)],
    open: blocks.slice(open),
  };
}

function blocksOf(text) {
  const plain = [{ type: 'plain', raw: text, text }];
  if (text.length > LONGEST_OPEN) return plain;
  try {
    return marked.lexer(text);
  } catch (error) {
    if (error instanceof RangeError) return plain; // nested deeper than the stack
    throw error;
  }
}

function startOfOpen(blocks) {
  const written = blocks.flatMap(({ type }, index) => (type === 'space' ? [] : [index]));
  return written.at(-OPEN_BLOCKS) ?? 0;
}
