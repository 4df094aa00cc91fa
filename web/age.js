/** How long ago something was, as people say it. */

const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [Infinity, 'day']];
const WORDS = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** @param {string} time RFC 3339 @param {number} [now] milliseconds since 1970 @returns {string} `2 minutes ago` */
export function ageOf(time, now = Date.now()) {
  let age = Math.max(0, (now - Date.parse(time)) / 1000);
  for (const [most, unit] of STEPS) {
    if (age < most) return WORDS.format(-Math.floor(age), /** @type {Intl.RelativeTimeFormatUnit} */ (unit));
    age /= most;
  }
  return '';
}
