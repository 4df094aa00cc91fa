/** A job as the page sees it: its snapshot, what came over the wire, and the clocks of its parts. */

import { useEffect, useState } from 'preact/hooks';

import { verify } from './client.js';

const WIRE_UPDATES = 300;

/**
 * Times are `performance.now()`. `clocks` holds what was seen of each part's present try, until its figures come: when
 * it began (null: before this page listened), and when its first words came.
 *
 * @typedef {{number: number, at: number} & import('./client.js').Update} WireEntry
 * @typedef {{began: number | null, first: number | null}} Clock
 * @typedef {{jobId: string | null, snapshot: import('./client.js').Snapshot | null,
 *   connection: import('./client.js').Connection, road: import('./tap.js').Road | undefined, count: number,
 *   wire: WireEntry[], began: number | null, clocks: Record<string, Clock>, proofs: Record<string, boolean>,
 *   error: Error | null}} Watching `road`: by what the newest update came
 */

/**
 * The client of the page, which also knows by what a job's updates come.
 *
 * @typedef {import('./client.js').Client & {roadOf: ReturnType<typeof import('./tap.js').createTap>['roadOf']}} PageClient
 */

/** @type {Watching} */
const NOTHING = {
  jobId: null, snapshot: null, connection: 'connecting', road: undefined, count: 0, wire: [], began: null, clocks: {},
  proofs: {}, error: null,
};

/**
 * What is known of a job, at most once a frame, for as long as the component is there and asks for this job.
 *
 * @param {PageClient} client
 * @param {string | undefined} jobId
 * @param {number} [run] another number watches the job anew, once it was run again
 * @returns {Watching}
 */
export function useWatching(client, jobId, run = 0) {
  const [watching, show] = useState(NOTHING);

  useEffect(() => {
    if (!jobId) return undefined;
    const stop = new AbortController();
    follow(client, jobId, stop.signal, oncePerFrame(show, stop.signal));
    return () => stop.abort();
  }, [client, jobId, run]);

  return watching.jobId === jobId ? watching : NOTHING;
}

function follow(client, jobId, signal, show) {
  let watching = { ...NOTHING, jobId };
  const change = (changes) => show(watching = { ...watching, ...changes });

  const watch = client.watch(jobId, { signal });
  const road = () => client.roadOf(jobId, watch.connection) ?? watching.road;
  watch.on('connection', (connection) => change({ connection, road: road() }));
  watch.on('update', (update) => change({ ...hear(watching, update), road: road() }));
  watch.on('snapshot', (snapshot) => change({ snapshot, began: watching.began ?? beganAt(snapshot) }));
  watch.on('end', (snapshot) => change({ proofs: verify(snapshot) }));
  watch.on('error', (error) => change({ error }));
}

/** @param {Watching} watching @param {import('./client.js').Update} update */
function hear({ count, wire, clocks }, update) {
  const at = performance.now();
  const entry = { ...update, number: count + 1, at };
  return { count: count + 1, wire: [...wire, entry].slice(-WIRE_UPDATES), clocks: timed(clocks, update, at) };
}

function timed(clocks, { event, data }, at) {
  const restarts = event === 'part' && data.state === 'running';
  if (restarts) return { ...clocks, [data.part]: { began: at, first: null } };
  const firstWords = event === 'delta' && data.at === 0;
  return firstWords ? { ...clocks, [data.part]: { began: null, ...clocks[data.part], first: at } } : clocks;
}

function beganAt({ started_at: started, elapsed }) {
  return started ? performance.now() - (elapsed ?? 0) * 1000 : null;
}

function oncePerFrame(show, signal) {
  let latest;
  return (value) => {
    const waiting = latest !== undefined;
    latest = value;
    if (waiting) return;
    requestAnimationFrame(() => {
      if (!signal.aborted) show(latest);
      latest = undefined;
    });
  };
}
