/** Where one is in the operator's view, as the address says it: `#/jobs/<id>`, `#/jobs?state=failed`. */

const PLACE = /^#\/([a-z-]+)(?:\/([A-Za-z0-9_-]{16,64}))?(?:\?(.*))?$/;

/**
 * @typedef {{view: string, id: string | undefined, query: Record<string, string>}} Place
 *
 * @param {string} hash
 * @returns {Place} with an empty `view` where the address names none
 */
export function placeOf(hash) {
  const [, view = '', id, query = ''] = PLACE.exec(hash) ?? [];
  return { view, id, query: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * The address of a view, with what of the query is not empty.
 *
 * @param {string} path @param {Record<string, any>} [query]
 */
export function hashOf(path, query = {}) {
  const told = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return told.size ? `#/${path}?${told}` : `#/${path}`;
}
