/** A moment as how long ago it was, with the exact time at hand. */

import { moment } from '../../figures.js';
import { html } from '../../html.js';

const UNITS = [[60, 's'], [60, 'min'], [24, 'h'], [Infinity, 'd']];

/** @param {{time: string | null | undefined, now: number}} props `now` in milliseconds since 1970 */
export function When({ time, now }) {
  if (!time) return html`<span class="soft">–</span>`;
  const ahead = Date.parse(time) > now + 1000;
  return html`<time datetime=${time} title=${time}>${ahead ? moment(time) : ageOf(time, now)}</time>`;
}

/** As short as a column of many wants it. @param {string} time @param {number} now @returns {string} `7 s ago` */
export function ageOf(time, now) {
  let age = Math.max(0, (now - Date.parse(time)) / 1000);
  if (age < 1) return 'now';
  for (const [most, unit] of UNITS) {
    if (age < most) return `${Math.floor(age)} ${unit} ago`;
    age /= most;
  }
  return '';
}
