/** A button whose act takes a while and may be refused; it says so itself. */

import { useState } from 'preact/hooks';

import { html } from '../html.js';

/**
 * @param {{label: string, doing: string, act: () => Promise<unknown>, what?: string, sure?: string}} props `what` names
 *   whom it acts on, for those who can't see the button's place; `sure` is asked first, of what can't be undone
 */
export function ActButton({ label, doing, act, what, sure }) {
  const [said, say] = useState(label);
  const asksFirst = sure !== undefined && said !== sure;

  async function press() {
    if (said === doing) return;
    if (asksFirst) {
      say(sure);
      return;
    }
    say(doing);
    await act().then(() => say(label), () => say('Refused; try later'));
  }

  return html`
    <button type="button" class="quiet" data-sure=${said === sure} onClick=${press}
      onBlur=${() => said === sure && say(label)}>
      ${said}${what && html`<span class="unseen"> ${what}</span>`}
    </button>
  `;
}
