/** What the browser calls the page. */

import { useEffect } from 'preact/hooks';

/** @param {string} title of the view that is looked at */
export function useTitle(title) {
  useEffect(() => {
    document.title = `${title} · Operator · Jobstream`;
  }, [title]);
}
