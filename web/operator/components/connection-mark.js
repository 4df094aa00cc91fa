/** Whether what is seen is of now, and a word when that changes. */

import { useEffect, useRef, useState } from 'preact/hooks';

import { html } from '../../html.js';

const BACK_MILLISECONDS = 6000;
const words = { connecting: 'Connecting', live: 'Live', polling: 'Polling', offline: 'Offline' };
const titles = {
  connecting: 'Asking for the figures.',
  live: 'Figures come by a stream as they change.',
  polling: 'Streams do not get through just now: the figures are asked for every few seconds.',
  offline: 'The service does not answer.',
};

/** @param {{connection: import('../live-figures.js').Connection}} props */
export function ConnectionMark({ connection }) {
  const news = useNews(connection);
  return html`
    <span class="connection" data-connection=${connection} title=${titles[connection]}>
      <i aria-hidden="true"></i>${words[connection]}
    </span>
    <p class="news" role="status" data-news=${news.what}>${news.text}</p>
  `;
}

/** What is to be said of the connection: since when it is gone, and for a moment that it is back. */
function useNews(connection) {
  const [news, setNews] = useState({ what: '', text: '' });
  const away = useRef(false);
  useEffect(() => {
    if (connection === 'offline') {
      away.current = true;
      const since = new Date().toLocaleTimeString();
      setNews({ what: 'offline', text: `Offline since ${since}. What you see is old; trying again…` });
    }
    if (!away.current || connection === 'offline' || connection === 'connecting') return undefined;
    away.current = false;
    setNews({ what: 'back', text: 'Back online: what you see is of now.' });
    const timer = setTimeout(() => setNews({ what: '', text: '' }), BACK_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [connection]);
  return news;
}
