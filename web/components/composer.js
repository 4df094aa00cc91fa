/** The box a question is written in. */

import { html } from '../html.js';
import { useSending } from '../sending.js';
import { Refusal } from './refusal.js';

/**
 * @param {{text: string, onText: (text: string) => void, box: {current: HTMLTextAreaElement | null},
 *   placeholder: string, send: (question: string, key: string) => Promise<void>}} props
 */
export function Composer({ text, onText, box, placeholder, send: ask }) {
  const { sending, error, send } = useSending(ask);

  async function submit(event) {
    event.preventDefault();
    const question = text.trim();
    if (question && await send(question)) onText('');
  }

  function sendByKey(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
  }

  return html`
    <form class="composer" onSubmit=${submit}>
      ${error && html`<${Refusal} error=${error} />`}
      <div class="composer-box">
        <label class="unseen" for="question">Your question</label>
        <textarea id="question" ref=${box} rows="1" placeholder=${placeholder} autocomplete="off" value=${text}
          onInput=${(event) => onText(event.currentTarget.value)} onKeyDown=${sendByKey}></textarea>
        <span class="hint" aria-hidden="true"><kbd>Ctrl</kbd><kbd>Enter</kbd></span>
        <button class="send" aria-disabled=${sending || !text.trim()}>${sending ? 'Sending…' : 'Ask'}</button>
      </div>
    </form>
  `;
}
