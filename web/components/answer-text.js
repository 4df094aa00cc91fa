/** An answer's text as safe Markdown: nodes from the short list below, never markup of the model's own. */

import { Component } from 'preact';
import { useRef } from 'preact/hooks';

import { html } from '../html.js';
import { read } from '../markdown.js';

const DEEPEST = 16;
const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** @param {{text: string, writing: boolean}} props */
export function AnswerText({ text, writing }) {
  const reading = useRef(undefined);
  reading.current = read(text, reading.current);
  const { settled, open } = reading.current;
  return html`
    <div class="answer-text" data-writing=${writing} aria-busy=${writing}>
      ${[...settled, ...open].map((token, index) => html`<${Block} key=${index} token=${token} />`)}
    </div>
  `;
}

/** One block; a settled one is the same token every time, and isn't rendered again. */
class Block extends Component {
  shouldComponentUpdate({ token }) {
    return token !== this.props.token;
  }

  render({ token }) {
    return nodeOf(token, 0);
  }
}

const nodes = {
  space: () => null,
  def: () => null,
  hr: () => html`<hr />`,
  br: () => html`<br />`,
  checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  escape: ({ text }) => text,
  codespan: ({ text }) => html`<code>${text}</code>`,
  plain: ({ text }) => html`<p class="plain">${text}</p>`,
  code: ({ text, lang }) => html`<pre data-language=${lang?.split(/\s/)[0]}><code>${text}</code></pre>`,
  text: (token, depth) => (token.tokens ? inside(token, depth) : decoded(token.text)),
  image: ({ text }) => decoded(text),
  strong: (token, depth) => html`<strong>${inside(token, depth)}</strong>`,
  em: (token, depth) => html`<em>${inside(token, depth)}</em>`,
  del: (token, depth) => html`<del>${inside(token, depth)}</del>`,
  paragraph: (token, depth) => html`<p>${inside(token, depth)}</p>`,
  blockquote: (token, depth) => html`<blockquote>${inside(token, depth)}</blockquote>`,
  heading: (token, depth) => html`<${`h${Math.min(token.depth + 2, 6)}`}>${inside(token, depth)}<//>`,
  link: linkNode,
  list: listNode,
  table: tableNode,
};

/** What a token looks like; one of an unlisted type, HTML above all, is shown as it was written. */
export function nodeOf(token, depth) {
  const known = Object.hasOwn(nodes, token.type) && depth < DEEPEST;
  return known ? nodes[token.type](token, depth) : token.raw;
}

function inside({ tokens }, depth) {
  return tokens.map((token) => nodeOf(token, depth + 1));
}

function linkNode(token, depth) {
  const label = inside(token, depth);
  return isWeb(token.href) ? html`<a href=${token.href} target="_blank" rel="noopener noreferrer">${label}</a>` : label;
}

function isWeb(href) {
  return URL.canParse(href) && ['http:', 'https:'].includes(new URL(href).protocol);
}

function listNode({ ordered, start, items }, depth) {
  const entries = items.map((item) => html`<li>${inside(item, depth)}</li>`);
  return ordered ? html`<ol start=${start}>${entries}</ol>` : html`<ul>${entries}</ul>`;
}

function tableNode({ header, rows }, depth) {
  const cell = (tag) => (token) => html`
    <${tag} class=${token.align && `align-${token.align}`}>${inside(token, depth)}<//>
  `;
  return html`
    <div class="scrolls">
      <table>
        <thead><tr>${header.map(cell('th'))}</tr></thead>
        <tbody>${rows.map((row) => html`<tr>${row.map(cell('td'))}</tr>`)}</tbody>
      </table>
    </div>
  `;
}

function decoded(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (written, decimal, hex, name) => {
    if (name) return NAMED[name] ?? written;
    const point = decimal ? Number(decimal) : parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : written;
  });
}
