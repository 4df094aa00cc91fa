/** The service's clock on the page. */

import { useEffect, useState } from 'preact/hooks';

/**
 * Milliseconds since 1970 as the service has them, moving.
 *
 * @param {{aheadMilliseconds: number}} figures
 * @param {number} [everySeconds]
 */
export function useNow({ aheadMilliseconds }, everySeconds = 1) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everySeconds * 1000);
    return () => clearInterval(timer);
  }, [everySeconds]);
  return now + aheadMilliseconds;
}
