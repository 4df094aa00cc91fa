/** A job by the beginning of its id, which leads to it. */

import { html } from '../../html.js';
import { hashOf } from '../place.js';

/** @param {{id: string, children?: any}} props `children` stand before the id */
export function JobLink({ id, children }) {
  const short = html`<code title=${id}>${id.slice(0, 8)}</code>`;
  return html`<a href=${hashOf(`jobs/${id}`)}>${children}${children && ' '}${short}</a>`;
}
