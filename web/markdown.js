/** Reading Markdown that is still being written, at a cost that depends on its last blocks and not on its length. */

import { Marked } from 'marked';

const marked = new Marked({ gfm: true, breaks: true });
const OPEN_BLOCKS = 2; // what comes next can still change the last block, and make it join the one before
const LONGEST_OPEN = 20_000; // characters; to read more could take longer than a frame, so it stays plain

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
  let reading = whole.startsWith(before.source) ? before : NOTHING;
  for (;;) {
    const rest = whole.slice(reading.source.length);
    if (rest.length <= LONGEST_OPEN) return goOn(reading, rest);
    const further = goOn(reading, rest.slice(0, LONGEST_OPEN));
    if (further.source === reading.source) return { ...reading, open: plain(rest) };
    reading = further;
  }
}

/** Reads what follows the settled blocks, and settles all of it that nothing can change any more. */
function goOn({ source, settled }, rest) {
  const blocks = blocksOf(rest);
  const open = startOfOpen(blocks);
  const closed = blocks.slice(0, open);
  return {
    source: source + closed.map(({ raw }) => raw).join(''),
    settled: [...settled, ...closed],
    open: blocks.slice(open),
  };
}

function blocksOf(text) {
  try {
    return marked.lexer(text);
  } catch (error) {
    if (error instanceof RangeError) return plain(text); // nested deeper than the stack
    throw error;
  }
}

function plain(text) {
  return [{ type: 'plain', raw: text, text }];
}

function startOfOpen(blocks) {
  const written = blocks.flatMap(({ type }, index) => (type === 'space' ? [] : [index]));
  return written.at(-OPEN_BLOCKS) ?? 0;
}
