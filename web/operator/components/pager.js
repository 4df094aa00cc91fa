/** The way through a list that comes in pages; the browser's back button leads back. */

import { html } from '../../html.js';
import { hashOf } from '../place.js';

/** @param {{path: string, query: Record<string, string>, next: string | null | undefined}} props */
export function Pager({ path, query, next }) {
  const { cursor, ...first } = query;
  if (!cursor && !next) return null;
  return html`
    <nav class="pager" aria-label="Pages">
      ${cursor && html`<a class="quiet" href=${hashOf(path, first)}>Newest</a>`}
      ${next && html`<a class="quiet" href=${hashOf(path, { ...query, cursor: next })}>Older</a>`}
    </nav>
  `;
}
