/** The end of the page stays in sight while it grows, for whoever has scrolled there; nobody else is moved. */

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

const NEAR_PIXELS = 40;

/** @param {boolean} growing */
export function useStickyEnd(growing) {
  const atEnd = useRef(false);
  useEffect(() => {
    const note = () => {
      const { scrollTop, clientHeight, scrollHeight } = document.documentElement;
      atEnd.current = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < NEAR_PIXELS;
    };
    addEventListener('scroll', note, { passive: true });
    return () => removeEventListener('scroll', note);
  }, []);
  useLayoutEffect(() => {
    if (growing && atEnd.current) scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
  });
}
