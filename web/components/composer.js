/** The box a question is written in; a question is sent once, however often its button is pressed. */

import { useRef, useState } from 'preact/hooks';

import { ApiError } from '../client.js';
import { html } from '../html.js';

/**
 * @param {{text: string, onText: (text: string) => void, box: {current: HTMLTextAreaElement | null},
 *   send: (question: string, key: string) => Promise<void>}} props
 *   `send` is given the same key for as long as the same question hasn't been accepted
 */
export function Composer({ text, onText, box, send }) {
  const [sending, setSending] = useState(false);
  const [error, setError] = useState(null);
  const busy = useRef(false);
  const draft = useRef({ question: '', key: '' });

  async function submit(event) {
    event.preventDefault();
    const question = text.trim();
    if (busy.current || !question) return;
    if (draft.current.question !== question) draft.current = { question, key: crypto.randomUUID() };
    busy.current = true;
    setSending(true);
    setError(null);
    try {
      await send(question, draft.current.key);
      draft.current = { question: '', key: '' };
      onText('');
    } catch (refusal) {
      setError(refusal);
    } finally {
      busy.current = false;
      setSending(false);
    }
  }

  function sendByKey(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
  }

  return html`
    <form class="composer" onSubmit=${submit}>
      ${error && html`<${Refusal} error=${error} />`}
      <div class="composer-box">
        <label class="unseen" for="question">Your question</label>
        <textarea id="question" ref=${box} rows="1" placeholder="Ask all three…" autocomplete="off" value=${text}
          onInput=${(event) => onText(event.currentTarget.value)} onKeyDown=${sendByKey}></textarea>
        <span class="hint" aria-hidden="true"><kbd>Ctrl</kbd><kbd>Enter</kbd></span>
        <button class="send" aria-disabled=${sending || !text.trim()}>${sending ? 'Sending…' : 'Ask'}</button>
      </div>
    </form>
  `;
}

function Refusal({ error }) {
  const { title, detail, errors = [] } = told(error);
  return html`
    <div class="notice failure" role="alert">
      <strong>${title}</strong>
      ${detail && html`<p>${detail}</p>`}
      ${errors.length > 0 && html`
        <ul>${errors.map(({ pointer, detail: why }) => html`<li><code>${pointer}</code> ${why}</li>`)}</ul>
      `}
    </div>
  `;
}

function told(error) {
  if (!(error instanceof ApiError)) {
    const detail = 'Your question is still here. Send it again: it is asked once.';
    return { title: 'The service can’t be reached', detail };
  }
  if (error.status === 401) {
    return { title: 'This page is no longer signed in', detail: 'Copy your question and load the page again.' };
  }
  const { title = `Refused (${error.status})`, detail, errors } = error.problem;
  return { title, detail, errors };
}
