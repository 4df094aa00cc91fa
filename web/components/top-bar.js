/** The frame's upper edge: where one is, the way to a new chat and back to earlier ones. */

import { moment } from '../figures.js';
import { html } from '../html.js';
import { wordFor } from './state-mark.js';

/** @param {{home: string, known: import('../recents.js').Recent[], current: string | undefined}} props */
export function TopBar({ home, known, current }) {
  return html`
    <header class="top-bar">
      <a class="brand" href=${home}><${Sign} />Jobstream</a>
      <nav aria-label="Chats">
        ${known.length > 0 && html`
          <button type="button" class="quiet" popovertarget="recents">
            Recent <span class="tally">${known.length}</span>
          </button>
          <${Recents} known=${known} home=${home} current=${current} />
        `}
        ${current && html`<a class="quiet" href=${home}>New chat</a>`}
      </nav>
    </header>
  `;
}

function Recents({ known, home, current }) {
  const close = ({ currentTarget }) => currentTarget.closest('[popover]').hidePopover();
  return html`
    <div id="recents" class="recents" popover>
      <h2>Asked from this browser</h2>
      <ul>
        ${known.map(({ id, question, at, state }) => html`
          <li key=${id}>
            <a href=${`${home}/${id}`} aria-current=${id === current ? 'page' : undefined} onClick=${close}>
              <span class="recent-question">${question}</span>
              <span class="recent-facts">${moment(at)}${state ? ` · ${wordFor(state)}` : ''}</span>
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
