/** A calm word over the page while the service is out of its reach, and when it is back. */

import { html } from '../html.js';
import { useSpell } from '../reach.js';

const words = {
  offline: 'Offline: your jobs go on, this page will catch up.',
  cut: 'Connection lost, trying again: your jobs go on.',
  back: 'Back again: nothing was missed.',
};

/** @param {{reach: ReturnType<typeof import('../reach.js').createReach>}} props */
export function SpellBanner({ reach }) {
  const spell = useSpell(reach);
  return html`
    <div class="spell" role="status" aria-label="Connection">
      ${words[spell] && html`<p data-spell=${spell}>${words[spell]}</p>`}
    </div>
  `;
}
