/** Answers of the service as a component sees them: the last one stays while a newer one is on its way. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/**
 * Asks at first, whenever the subject or one of `reasons` changes, and when `again` is called: one question at a time,
 * and one more after it if it was wanted meanwhile. `stale`: the answer is that for the subject before.
 *
 * @template Answer
 * @param {() => Promise<Answer>} ask
 * @param {string} subject what is asked for
 * @param {unknown[]} [reasons] to ask again
 * @returns {{answer: Answer | undefined, stale: boolean, error: Error | undefined, again: () => void}}
 */
export function useAsked(ask, subject, reasons = []) {
  const [told, setTold] = useState({ subject, answer: undefined, error: undefined });
  const latest = useRef({ ask, subject, asking: false, wanted: false, gone: false });
  Object.assign(latest.current, { ask, subject });

  const again = useCallback(async () => {
    const state = latest.current;
    state.wanted = true;
    if (state.asking) return;
    state.asking = true;
    while (state.wanted && !state.gone) {
      state.wanted = false;
      const about = state.subject;
      const news = await state.ask().then((answer) => ({ answer, error: undefined }), (error) => ({ error }));
      if (!state.gone) setTold((before) => ({ ...(before.subject === about && before), subject: about, ...news }));
    }
    state.asking = false;
  }, []);
  useEffect(() => {
    again();
  }, [subject, ...reasons]);
  useEffect(() => () => { latest.current.gone = true; }, []);

  const stale = told.subject !== subject;
  return { answer: told.answer, stale, error: stale ? undefined : told.error, again };
}

/**
 * An act of the operator's: done once however often its button is pressed. `error` is why the last one was refused.
 *
 * @template {unknown[]} Given
 * @param {(...given: Given) => Promise<unknown>} act
 * @returns {{busy: boolean, error: Error | null, run: (...given: Given) => Promise<boolean>}}
 */
export function useAct(act) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const running = useRef(false);

  async function run(...given) {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await act(...given);
      return true;
    } catch (refusal) {
      setError(refusal);
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  return { busy, error, run };
}
