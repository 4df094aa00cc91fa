/** Numbers as people read them. */

const DOLLARS = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumSignificantDigits: 2 });
const COUNT = new Intl.NumberFormat('en-US');

/** @param {number} seconds @returns {string} `0.42 s`, `12.3 s`, `2 min 05 s` */
export function duration(seconds) {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
}

/** @param {number} amount in US dollars */
export function dollars(amount) {
  return DOLLARS.format(amount);
}

/** @param {number} number */
export function count(number) {
  return COUNT.format(number);
}

/** @param {number} size @returns {string} `812 B`, `1.4 kB`, `2.0 MB` */
export function bytes(size) {
  if (size < 1000) return `${size} B`;
  return size < 1_000_000 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1_000_000).toFixed(1)} MB`;
}

/** @param {string} time RFC 3339 @returns {string} `14:05`, with the day if it isn't today's */
export function moment(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? {} : { month: 'short', day: 'numeric' };
  return date.toLocaleString([], { ...day, hour: '2-digit', minute: '2-digit' });
}
