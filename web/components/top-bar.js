/** The frame's upper edge: the views, and the way back to earlier jobs. */

import { useEffect, useRef } from 'preact/hooks';

import { moment } from '../figures.js';
import { html } from '../html.js';
import { wordFor } from './state-mark.js';

/**
 * @param {{views: {name: string, home: string}[], home: string, known: import('../recents.js').Recent[],
 *   current: string | undefined}} props `home` is the present view's, `current` the job that it shows
 */
export function TopBar({ views, home, known, current }) {
  const nav = useRef(null);
  useEffect(() => { // on a narrow phone it scrolls
    nav.current.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [home]);

  return html`
    <header class="top-bar">
      <a class="brand" href=${views[0].home}><${Sign} />Jobstream</a>
      <nav ref=${nav} aria-label="Views">
        ${views.map((view) => html`
          <a key=${view.home} href=${view.home} aria-current=${view.home === home ? 'page' : undefined}>${view.name}</a>
        `)}
      </nav>
      <div class="top-acts">
        ${known.length > 0 && html`
          <button type="button" class="quiet" popovertarget="recents">
            Recent <span class="tally">${known.length}</span>
          </button>
          <${Recents} views=${views} known=${known} current=${current} />
        `}
      </div>
    </header>
  `;
}

function Recents({ views, known, current }) {
  const close = ({ currentTarget }) => currentTarget.closest('[popover]').hidePopover();
  const nameOf = (home) => views.find((view) => view.home === home)?.name;
  return html`
    <div id="recents" class="recents" popover>
      <h2>Asked from this browser</h2>
      <ul>
        ${known.map(({ id, home, title, at, state }) => html`
          <li key=${id}>
            <a href=${`${home}/${id}`} aria-current=${id === current ? 'page' : undefined} onClick=${close}>
              <span class="recent-title">${title}</span>
              <span class="recent-facts">
                ${[nameOf(home), moment(at), state && wordFor(state)].filter(Boolean).join(' · ')}
              </span>
            </a>
          </li>
        `)}
      </ul>
    </div>
  `;
}

function Sign() {
  return html`
    <svg class="sign" viewBox="0 0 24 24" aria-hidden="true">
      <path class="first" d="M3 6h18" /><path class="second" d="M3 12h12" /><path class="third" d="M3 18h15" />
    </svg>
  `;
}
