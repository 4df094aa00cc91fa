/** The upper edge: the views, how the figures come, and the way out. */

import { useEffect, useRef } from 'preact/hooks';

import { count } from '../../figures.js';
import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { hashOf } from '../place.js';
import { ConnectionMark } from './connection-mark.js';

/**
 * @param {{views: Record<string, {name: string}>, current: string, figures: {dead: number},
 *   connection: import('../live-figures.js').Connection, operator: import('../operator.js').Operator}} props
 */
export function Bar({ views, current, figures, connection, operator }) {
  const nav = useRef(null);
  useEffect(() => {
    nav.current.querySelector('[aria-current]').scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);

  const { error, run } = useAct(async () => {
    await operator.signOut();
    location.reload();
  });

  return html`
    <header class="bar">
      <a class="brand" href=${hashOf('jobs')}>Jobstream <span>Operator</span></a>
      <nav ref=${nav} aria-label="Views">
        ${Object.entries(views).map(([path, { name }]) => html`
          <a key=${path} href=${hashOf(path)} aria-current=${path === current ? 'page' : undefined}>
            ${name} ${path === 'dead-letters' && figures.dead > 0 && html`<span class="badge">${count(figures.dead)}</span>`}
          </a>
        `)}
      </nav>
      <${ConnectionMark} connection=${connection} />
      <button type="button" class="quiet" onClick=${() => run()}>${error ? 'Not yet: try again' : 'Sign out'}</button>
    </header>
  `;
}
