/** A question before something is done that cannot be undone, or is done to many. */

import { useLayoutEffect, useRef } from 'preact/hooks';

import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { Problem } from './problem.js';

/**
 * @param {{title: string, verb: string, danger?: boolean, act: () => Promise<unknown>, close: () => void,
 *   children?: any}} props `verb` is what the button says that does it; `close` is called when it is done, or won't be
 */
export function Confirm({ title, verb, danger = false, act, close, children }) {
  const dialog = useRef(null);
  const { busy, error, run } = useAct(act);
  useLayoutEffect(() => dialog.current.showModal(), []);

  async function submit(event) {
    event.preventDefault();
    if (await run()) dialog.current?.close();
  }

  return html`
    <dialog ref=${dialog} class="ask" aria-labelledby="ask-title" onClose=${close}>
      <form onSubmit=${submit}>
        <h2 id="ask-title">${title}</h2>
        ${children}
        ${error && html`<${Problem} error=${error} />`}
        <div class="acts">
          <button type="button" class="quiet" onClick=${() => dialog.current.close()}>Not now</button>
          <button class="button" data-danger=${danger} aria-disabled=${busy}>${busy ? 'Working…' : verb}</button>
        </div>
      </form>
    </dialog>
  `;
}
