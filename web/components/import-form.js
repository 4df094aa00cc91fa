/** What is imported: a transcript, written or from a file, or a diagram from a file. */

import { useRef, useState } from 'preact/hooks';

import { html } from '../html.js';
import { useSending } from '../sending.js';
import { PROVIDERS, nameOf } from './answer-card.js';
import { DiagramPreview } from './diagram-preview.js';
import { Refusal } from './refusal.js';

const FILES = '.txt,.md,.vtt,.srt,image/png,image/jpeg,image/webp,image/gif';

/**
 * @typedef {{transcript: string, diagram: File | null, prompt: string, provider: string}} Draft
 *
 * @param {{send: (draft: Draft, key: string) => Promise<void>}} props
 */
export function ImportForm({ send: submit }) {
  const [draft, setDraft] = useState({ transcript: '', diagram: null, prompt: '', provider: '' });
  const [over, setOver] = useState(false);
  const chooser = useRef(null);
  const { sending, error, send } = useSending(submit);
  const change = (changes) => setDraft((now) => ({ ...now, ...changes }));
  const ready = draft.diagram !== null || draft.transcript.trim() !== '';

  async function take([file]) {
    if (!file) return;
    if (file.type.startsWith('image/')) change({ diagram: file });
    else change({ transcript: await file.text(), diagram: null });
  }

  function drop(event) {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  }

  function act(event) {
    event.preventDefault();
    if (ready) send(draft);
  }

  return html`
    <form class="import-form" data-over=${over} onSubmit=${act} onDrop=${drop}
      onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}>
      ${error && html`<${Refusal} error=${error} />`}
      ${draft.diagram
        ? html`<${DiagramPreview} file=${draft.diagram} remove=${() => change({ diagram: null })} />`
        : html`
          <label for="transcript">Transcript</label>
          <textarea id="transcript" rows="9" value=${draft.transcript}
            placeholder="Paste an interview or a call, or drop a transcript or a picture of a diagram here…"
            onInput=${({ currentTarget: { value } }) => change({ transcript: value })}></textarea>
        `}
      <div class="import-options">
        <label class="import-prompt">
          <span>What to look for</span>
          <input type="text" value=${draft.prompt} placeholder="Optional: the first week of a new customer"
            onInput=${({ currentTarget: { value } }) => change({ prompt: value })} />
        </label>
        <label>
          <span>Provider</span>
          <select value=${draft.provider} onChange=${({ currentTarget: { value } }) => change({ provider: value })}>
            <option value="">Any</option>
            ${PROVIDERS.map((provider) => html`<option value=${provider}>${nameOf(provider)}</option>`)}
          </select>
        </label>
      </div>
      <div class="import-acts">
        <input ref=${chooser} type="file" class="unseen" tabindex="-1" aria-hidden="true" accept=${FILES}
          onChange=${({ currentTarget }) => take(currentTarget.files)} />
        <button type="button" class="quiet" onClick=${() => chooser.current.click()}>Choose a file</button>
        <button class="send" aria-disabled=${sending || !ready}>${sending ? 'Sending…' : 'Import'}</button>
      </div>
    </form>
  `;
}
