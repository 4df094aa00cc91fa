/** How a job is come by: over the connection that the browser's tabs share, or over one of this client alone. */

import { createLedger } from './ledger.js';
import { createLine } from './line.js';
import { pollRoad } from './roads/poll.js';
import { socketRoad } from './roads/socket.js';
import { streamRoad } from './roads/stream.js';
import { MOST_JOBS } from './lead.js';
import { createTabs } from './tabs.js';

/**
 * @typedef {import('./credential.js').Credential} Credential
 * @typedef {import('./ledger.js').Reader} Reader
 * @typedef {import('./model.js').Snapshot} Snapshot
 *
 * `share`: the name of those who share a connection, empty: none does. `inPage`: a browser is sparing with connections.
 *
 * @param {{service: import('./service.js').Service, credential: Credential, pace: import('./pace.js').Pace,
 *   EventSource: import('./model.js').EventSourceMaker | null, WebSocket: import('./model.js').WebSocketMaker | null,
 *   share: string, locks: LockManager | null, inPage: boolean}} options
 */
export function createReading({ service, credential, pace, EventSource, WebSocket, share, locks, inPage }) {
  /** @typedef {{ledger: import('./ledger.js').Ledger, credential: Credential, line: import('./line.js').Line}} Own */
  /** @type {Set<Own>} */
  const own = new Set();
  const shared = createLedger();
  const tabs = share && locks
    ? createTabs({ name: share, locks, ledger: shared, openLine, elsewhere, pace })
    : null;

  return { start, wake, leave, enter };

  /**
   * Has the reader told of the job, from the snapshot on if there is one, until the returned function is called.
   *
   * @param {string} job @param {Reader} reader
   * @param {{snapshot: Snapshot | null, credential?: Credential}} place `credential`: the job's own
   * @returns {() => void}
   */
  function start(job, reader, { snapshot, credential: brought }) {
    if (tabs && !brought) {
      const known = shared.entries.get(job);
      shared.add(job, reader, { snapshot });
      if (known) tell(reader, job, shared);
      tabs.joined(job);
    } else startApart(job, reader, { snapshot, credential: brought ?? credential });
    return () => stop(job, reader);
  }

  /** @param {string} job @param {Reader} reader @param {{snapshot: Snapshot | null, credential: Credential}} place */
  function startApart(job, reader, { snapshot, credential: needed }) {
    const { ledger, line } = ownFor(job, needed);
    const known = ledger.entries.get(job);
    ledger.add(job, reader, { snapshot });
    if (known) tell(reader, job, ledger);
    else line.joined(job);
  }

  /** @param {string} job @param {Reader} reader */
  function stop(job, reader) {
    if (shared.entries.get(job)?.readers.has(reader)) {
      shared.remove(job, reader);
      tabs?.left(job);
    }
    for (const each of own) {
      if (each.ledger.entries.get(job)?.readers.has(reader)) {
        each.ledger.remove(job, reader);
        each.line.left();
      }
      if (each.ledger.entries.size === 0) close(each);
    }
  }

  /** A connection of this client that has room for the job. @param {string} job @param {Credential} needed */
  function ownFor(job, needed) {
    const fitting = Array.from(own).filter((each) => each.credential === needed);
    const known = fitting.find(({ ledger }) => ledger.entries.has(job) || ledger.entries.size < MOST_JOBS);
    if (known) return known;
    const ledger = createLedger();
    const line = createLine({ roads: roadsOf(needed), ledger, ...rest(needed) });
    const opened = { ledger, credential: needed, line };
    own.add(opened);
    return opened;
  }

  /** @param {Own} each */
  function close(each) {
    each.line.close();
    own.delete(each);
  }

  /** The connection of the tab that leads. */
  function openLine() {
    return createLine({ roads: byStream(credential), ledger: shared, ...rest(credential) });
  }

  /** @param {Credential} needed */
  function rest(needed) {
    return { service, credential: needed, pace };
  }

  /** A page has but six connections to a host over HTTP/1.1, and sockets aren't counted. @param {Credential} needed */
  function roadsOf(needed) {
    const [stream, socket, ...others] = byStream(needed);
    return inPage && EventSource && WebSocket ? [socket, stream, ...others] : byStream(needed);
  }

  /** @param {Credential} needed */
  function byStream(needed) {
    const how = { service, credential: needed, pace };
    return [
      ...(EventSource ? [streamRoad({ EventSource, ...how })] : []),
      ...(WebSocket ? [socketRoad({ WebSocket, ...how })] : []),
      pollRoad(how),
    ];
  }

  /** @param {string} job that can't come by the shared connection */
  function elsewhere(job) {
    const entry = shared.entries.get(job);
    if (!entry) return;
    const readers = [...entry.readers];
    const { snapshot } = entry;
    for (const reader of readers) {
      shared.remove(job, reader);
      startApart(job, reader, { snapshot, credential });
    }
  }

  function wake() {
    tabs?.wake();
    for (const { line } of own) line.wake();
  }

  function leave() {
    tabs?.leave();
  }

  function enter() {
    if (shared.entries.size > 0) tabs?.enter();
    wake();
  }
}

/** What a reader is told who comes to a job that is followed already. @param {Reader} reader @param {string} job
 * @param {import('./ledger.js').Ledger} ledger */
function tell(reader, job, ledger) {
  const snapshot = ledger.entries.get(job)?.snapshot;
  queueMicrotask(() => {
    reader.connection(ledger.connection);
    if (!snapshot) return;
    const { cursor: id, seq } = snapshot;
    reader.update({ job, id, seq, event: 'snapshot', data: snapshot }, snapshot);
  });
}
