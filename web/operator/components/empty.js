/** What stands where a list has nothing to show: why, and what to do. */

import { html } from '../../html.js';

/** @param {{title: string, children?: any}} props */
export function Empty({ title, children }) {
  return html`<div class="empty"><p><strong>${title}</strong></p>${children}</div>`;
}
