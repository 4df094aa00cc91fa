/** A page of jobs whose rows move while it is looked at. */

import { useEffect, useRef, useState } from 'preact/hooks';

import { wordOf } from '../client/words.js';
import { listen } from './events.js';
import { advanced, isOver, MOST_FOLLOWED, ROW_EVENTS } from './rows.js';

const SETTLE_MILLISECONDS = 300;

/**
 * The rows with what came over the wire since they were listed.
 *
 * @template {{id: string, cursor: string, seq: number, state: string, progress: object}} Row
 * @param {Row[]} listed
 * @returns {Row[]}
 */
export function useLiveRows(listed) {
  const [news, setNews] = useState(new Map());
  const rows = listed.map((row) => newer(row, news.get(row.id)));
  const current = useRef(rows);
  current.current = rows;
  const followed = rows.filter((row) => !isOver(row)).slice(0, MOST_FOLLOWED).map(({ id }) => id).join(' ');

  useEffect(() => {
    if (!followed) return undefined;
    let stop = () => {};
    const ids = followed.split(' ');
    const settled = setTimeout(() => { stop = follow(ids); }, SETTLE_MILLISECONDS);
    return () => {
      clearTimeout(settled);
      stop();
    };
  }, [followed]);

  return rows;

  function follow(ids) {
    const chosen = () => current.current.filter(({ id }) => ids.includes(id));
    return listen(() => urlOf(chosen()), { types: ROW_EVENTS, hear });
  }

  function hear({ type, data: body, lastEventId }) {
    const data = JSON.parse(body);
    const row = current.current.find(({ id }) => id === data.job);
    if (!row) return;
    const next = advanced({ ...row, seq: data.seq, cursor: lastEventId }, type, data);
    current.current = current.current.map((each) => (each === row ? next : each));
    setNews(new Map(current.current.map((each) => [each.id, each])));
  }
}

/** Whichever of both saw more of the job. */
function newer(listed, live) {
  return live && live.seq >= listed.seq ? live : listed;
}

/** Goes on from what was listed; no texts come on this stream. */
function urlOf(rows) {
  const wanted = new URLSearchParams(rows.map(({ id }) => ['job', id]));
  wanted.append('after', wordOf(new Map(rows.map(({ id, cursor }) => [id, cursor]))));
  return `/v1/operator/jobs/stream?${wanted}`;
}
