/** Sending what a form holds: once, however often its button is pressed. */

import { useRef, useState } from 'preact/hooks';

/**
 * `send` is given the same key for as long as the same draft hasn't been accepted, so that a draft which is sent again
 * after a lost answer is one job. `error` is why the last one was refused.
 *
 * @template Draft
 * @param {(draft: Draft, key: string) => Promise<void>} act
 * @returns {{sending: boolean, error: Error | null, send: (draft: Draft) => Promise<boolean>}}
 */
export function useSending(act) {
  const [sending, setSending] = useState(false);
  const [error, setError] = useState(null);
  const busy = useRef(false);
  const last = useRef({ draft: null, key: '' });

  async function send(draft) {
    if (busy.current) return false;
    if (!alike(last.current.draft, draft)) last.current = { draft, key: crypto.randomUUID() };
    busy.current = true;
    setSending(true);
    setError(null);
    try {
      await act(draft, last.current.key);
      last.current = { draft: null, key: '' };
      return true;
    } catch (refusal) {
      setError(refusal);
      return false;
    } finally {
      busy.current = false;
      setSending(false);
    }
  }

  return { sending, error, send };
}

/** Whether two drafts are the same text, or hold the same under each name. */
function alike(one, other) {
  if (one === null || typeof one !== 'object') return one === other;
  return Object.keys({ ...one, ...other }).every((name) => one[name] === other[name]);
}
