import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nodeOf } from '../components/answer-text.js';
import { read } from '../markdown.js';

const ALLOWED = [
  'p', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'table', 'thead', 'tbody', 'tr', 'th',
  'td', 'div', 'hr', 'br', 'strong', 'em', 'del', 'a',
];

const PROPERTIES = ['children', 'href', 'target', 'rel', 'start', 'class', 'data-language'];

const DOCUMENT = `# Title

A paragraph with **bold**, _em_, \`code\` & a [link](https://example.org/a?b=c).
Second line.

- one
- two

  still two
- three

1. a
2. b

> quoted
> - list

| a | b |
|---|:-:|
| 1 | 2 |

\`\`\`python
def f():

    return 1
\`\`\`

Setext
======

***

End &lt;b&gt; \\*.
`;

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  'a <b onmouseover=alert(1)>b</b>',
  '<svg/onload=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](  JaVaScRiPt:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](java\nscript:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](vbscript:x)',
  '[x](//evil.example)',
  '<javascript:alert(1)>',
  '![x](https://evil.example/track.png)',
  '![x](javascript:alert(1))',
  '[![x](https://evil.example/i.png)](javascript:alert(1))',
  '[x]: javascript:alert(1)\n\n[x]',
  '<iframe src="https://evil.example"></iframe>',
  '<style>*{display:none}</style>',
  '`<img src=x onerror=alert(1)>`',
  '```<script>\nalert(1)\n```',
  '# <a href="javascript:alert(1)">x</a>',
  '| <img src=x> |\n|---|\n| <script>1</script> |',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<a href="https://a.b" onclick="alert(1)">x</a>',
];

/** Every element of a node tree, and all its text. */
function* elements(node) {
  if (Array.isArray(node)) for (const child of node) yield* elements(child);
  if (!node || typeof node !== 'object' || Array.isArray(node)) return;
  yield node;
  yield* elements(node.props.children);
}

function textOf(node) {
  if (Array.isArray(node)) return node.map(textOf).join('');
  if (node && typeof node === 'object') return textOf(node.props.children);
  return node === null || node === undefined ? '' : String(node);
}

function shown(text) {
  const { settled, open } = read(text);
  return [...settled, ...open].map((token) => nodeOf(token, 0));
}

const wholeOf = ({ settled, open }) => [...settled, ...open];

test('a text read as it grows, character by character, is read as it would be at once', () => {
  let reading;
  for (let end = 1; end <= DOCUMENT.length; end += 1) reading = read(DOCUMENT.slice(0, end), reading);
  assert.deepEqual(wholeOf(reading), wholeOf(read(DOCUMENT)));
});

test('a long text that comes at once is read as it would be when it grew', () => {
  const long = DOCUMENT.repeat(200);
  let reading;
  for (let end = 1000; end < long.length + 1000; end += 1000) reading = read(long.slice(0, end), reading);
  assert.ok(long.length > 50_000);
  assert.deepEqual(wholeOf(read(long)), wholeOf(reading));
  assert.ok(!wholeOf(reading).some(({ type }) => type === 'plain'));
});

test('a settled block stays the same object while the text grows', () => {
  const before = read('# One\n\nTwo\n\nThree\n\nFour');
  const after = read('# One\n\nTwo\n\nThree\n\nFour and more', before);
  assert.ok(before.settled.length > 0);
  before.settled.forEach((token, index) => assert.equal(after.settled[index], token));
});

test('a text that starts again is read from the start', () => {
  const before = read('# One\n\nTwo\n\nThree\n\nFour');
  assert.deepEqual(wholeOf(read('Other', before)), wholeOf(read('Other')));
});

test('line ends of all sorts are the same text, also when one is cut in two', () => {
  const text = '# One\r\n\r\nTwo\r\rThree\r\n\r\nFour';
  let reading;
  for (let end = 1; end <= text.length; end += 1) reading = read(text.slice(0, end), reading);
  assert.deepEqual(wholeOf(reading), wholeOf(read(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'))));
});

test('a document becomes elements', () => {
  const tags = Array.from(elements(shown(DOCUMENT)), ({ type }) => type);
  for (const tag of ['h3', 'p', 'strong', 'em', 'code', 'a', 'ul', 'ol', 'blockquote', 'table', 'pre', 'hr', 'br']) {
    assert.ok(tags.includes(tag), tag);
  }
  assert.match(textOf(shown(DOCUMENT)), /End <b> \*\./);
});

test('a link leads to the web, in a tab of its own that knows nothing of this one', () => {
  const [{ props }] = Array.from(elements(shown('[x](https://example.org/a)'))).filter(({ type }) => type === 'a');
  assert.deepEqual([props.href, props.target, props.rel], ['https://example.org/a', '_blank', 'noopener noreferrer']);
});

for (const text of HOSTILE) {
  test(`${JSON.stringify(text)} becomes allowed elements only, whole and cut anywhere`, () => {
    for (let end = 1; end <= text.length; end += 1) {
      for (const { type, props } of elements(shown(text.slice(0, end)))) {
        assert.ok(ALLOWED.includes(type), type);
        assert.ok(Object.keys(props).every((name) => PROPERTIES.includes(name)));
        if (props.href) assert.match(props.href, /^https?:\/\//);
      }
    }
  });
}

const ENDLESS = ['>'.repeat(15_000), `${'- '.repeat(5000)}x`, '_a'.repeat(60_000), `${'> '.repeat(300)}deep`];

for (const text of ENDLESS) {
  test(`${text.slice(0, 8)}..., ${text.length} long, is shown without running out of stack or time`, () => {
    const nodes = shown(text);
    assert.ok(Array.from(elements(nodes)).length < 100);
    assert.ok(textOf(nodes).length > 0);
  });
}
