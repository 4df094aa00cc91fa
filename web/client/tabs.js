/**
 * One connection for all tabs of a browser: the leading tab holds it and hands on what comes; the others follow.
 *
 * Who leads is whoever holds a Web Lock, so a tab that is closed or crashes is succeeded at once. A tab agrees with its
 * leader on each job's place first (`go`, or a snapshot), and takes what comes from then on. A tab whose leader says
 * nothing asks it, and takes the lock from one that doesn't answer: it is frozen. Credentials never go from tab to tab.
 */

import { createLead, MOST_JOBS } from './lead.js';

/**
 * @typedef {import('./model.js').Update} Update
 * @typedef {import('./lead.js').Wanted} Wanted
 * @typedef {{from: string, term: number} & import('./lead.js').Saying} Said what a leader says; the newest term counts
 */

/**
 * @param {{name: string, locks: LockManager, ledger: import('./ledger.js').Ledger, pace: import('./pace.js').Pace,
 *   openLine: () => import('./line.js').Line, elsewhere: (job: string) => void}} options `elsewhere`: the job can't
 *   come by the shared connection
 */
export function createTabs({ name, locks, ledger, openLine, elsewhere, pace }) {
  const me = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16)).join('');
  /** @type {{channel: BroadcastChannel, leave: AbortController} | null} */
  let present = null;
  /** @type {{id: string, term: number} | null} */
  let leader = null;
  /** @type {AbortController | null} */
  let standing = null;
  /** @type {ReturnType<typeof createLead> | null} */
  let lead = null;
  /** @type {Set<string>} */
  const agreed = new Set();
  let asking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let patience;

  return { joined, left, wake, enter, leave };

  /** Takes part again, after `leave`. */
  function enter() {
    if (present) return;
    const here = { channel: new BroadcastChannel(name), leave: new AbortController() };
    present = here;
    here.channel.addEventListener('message', ({ data }) => { if (present === here) hear(data); });
    const gone = new Promise((resolve) => { here.leave.signal.addEventListener('abort', resolve); });
    const held = new Promise((resolve) => {
      locks.request(`${name}:${me}`, () => { resolve(undefined); return gone; }).catch(() => {});
    });
    held.then(() => { if (present === here) { stand(here); ask(); } });
  }

  /** Takes no part any more: the page is left, or put to sleep. */
  function leave() {
    standing?.abort();
    present?.leave.abort();
    resign();
    clearTimeout(patience);
    present?.channel.close();
    present = null;
  }

  /** Tells that the ledger has a new job, or a new reader of one. @param {string} job */
  function joined(job) {
    if (ledger.entries.get(job)?.readers.size === 1) agreed.delete(job);
    enter();
    if (!lead) ask();
    else if (ledger.entries.size > MOST_JOBS) elsewhere(job);
    else lead.joined(job);
  }

  /** Tells that the ledger has one job less. @param {string} job */
  function left(job) {
    if (!lead) ask();
    else if (!ledger.entries.has(job)) lead.line.left();
  }

  /** Looks at once whether all is well. */
  function wake() {
    if (lead) lead.line.wake();
    else ask();
  }

  /** Waits in line to lead, or takes the place of who leads. @param {NonNullable<typeof present>} here */
  function stand(here, steal = false) {
    const mine = new AbortController();
    standing?.abort();
    standing = mine;
    const lives = () => present === here && standing === mine;
    const leads = () => new Promise((release) => {
      here.leave.signal.addEventListener('abort', release);
      if (lives()) begin();
      else release(undefined);
    });
    locks.request(name, steal ? { steal } : { signal: mine.signal }, leads).catch(() => {
      if (!lives()) return;
      resign(); // another tab found this one asleep, and took over
      stand(here);
      ask();
    });
  }

  function begin() {
    const term = Math.max(Date.now(), (leader?.term ?? 0) + 1);
    leader = { id: me, term };
    clearTimeout(patience);
    agreed.clear();
    for (const job of [...ledger.entries.keys()].slice(MOST_JOBS)) elsewhere(job);
    const said = { from: me, term };
    lead = createLead({ name, locks, ledger, line: openLine(), post: (what) => post({ ...said, ...what }) });
    post({ ...said, type: 'lead' });
  }

  function resign() {
    lead?.close();
    lead = null;
    leader = null;
    agreed.clear();
  }

  /** Tells the leader, once all that changes now has changed, what this tab follows. */
  function ask() {
    if (asking) return;
    asking = true;
    queueMicrotask(() => {
      asking = false;
      if (!present || lead) return;
      const jobs = Array.from(ledger.places());
      post({ type: 'want', tab: me, jobs });
      wait(pace.answer * (1 + Math.random()), takeOver);
    });
  }

  /** @param {number} seconds @param {() => void} then */
  function wait(seconds, then) {
    clearTimeout(patience);
    if (ledger.entries.size > 0) patience = setTimeout(then, seconds * 1000);
  }

  function takeOver() {
    if (present && !lead) stand(present, true);
  }

  /** @param {Wanted | Said} message */
  function hear(message) {
    if (message.type === 'want') lead?.serve(message);
    else if (!lead) obey(message);
  }

  /** @param {Said} said */
  function obey(said) {
    if (!leader || said.term > leader.term) {
      leader = { id: said.from, term: said.term };
      agreed.clear();
      ask();
    }
    if (said.from !== leader.id || (said.to && said.to !== me)) return;
    wait(pace.quiet, ask);
    if (said.type === 'go') agree(said.job, said.cursor);
    if (said.type === 'update') take(said.update);
    if (said.type === 'connection') ledger.tell(said.connection);
    if (said.type === 'elsewhere') elsewhere(said.job);
  }

  /** @param {string} job @param {string} cursor */
  function agree(job, cursor) {
    if (ledger.entries.get(job)?.cursor === cursor) agreed.add(job);
  }

  /** @param {Update} update */
  function take(update) {
    if (update.event === 'snapshot') agreed.add(update.job);
    if (update.id && !agreed.has(update.job)) return;
    if (ledger.take(update)) return;
    agreed.delete(update.job);
    ask();
  }

  /** @param {Wanted | Said} message */
  function post(message) {
    present?.channel.postMessage(message);
  }
}
