/** The token that goes with requests, kept in memory alone. */

/**
 * @param {import('./model.js').Token | undefined} token
 * @param {(old: string) => Promise<string>} [renew] makes a new token of one that is a plain value
 *
 * @typedef {ReturnType<typeof createCredential>} Credential
 */
export function createCredential(token, renew = async (old) => old) {
  /** @type {Promise<string | undefined> | undefined} */
  let known = typeof token === 'function' ? undefined : Promise.resolve(token);

  return { get, replace };

  /** @returns {Promise<string | undefined>} undefined: the page's cookie must do */
  async function get() {
    known ??= made();
    return known;
  }

  /**
   * A token in place of the one that was refused or is about to expire; asked by many at once, it is made once.
   *
   * @param {string | undefined} used
   * @returns {Promise<boolean>} whether there is another one now
   */
  async function replace(used) {
    const asked = get();
    const before = known;
    const stale = (await asked) === used && known === before;
    if (stale) known = typeof token === 'function' ? made() : used ? renewed(used) : known;
    return (await get()) !== used;
  }

  async function made() {
    try {
      return await /** @type {() => string | Promise<string>} */ (token)();
    } catch (error) {
      known = undefined; // so that the next request asks again
      throw error;
    }
  }

  /** @param {string} used */
  async function renewed(used) {
    try {
      return await renew(used);
    } catch {
      known = Promise.resolve(used); // the service says by itself what is wrong with it
      return used;
    }
  }
}
