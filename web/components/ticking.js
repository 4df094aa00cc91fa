/** Time that goes by on the page. */

import { useEffect, useState } from 'preact/hooks';

import { duration } from '../figures.js';

const TICK_MILLISECONDS = 100;

/** Seconds since `since` (`performance.now()`), counting up. @param {{since: number}} props */
export function Ticking({ since }) {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), TICK_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  return duration(Math.max(0, now - since) / 1000);
}
