/** A talk to be summarised: a name for it, and who said what. */

import { useState } from 'preact/hooks';

import { html } from '../html.js';
import { useSending } from '../sending.js';
import { Refusal } from './refusal.js';

const SAMPLE = `Ada: The import fails for every tenth customer since Monday.
Grace: Only those with an accent in their name. The export writes Latin-1.
Ada: Then we read it as UTF-8 and drop the row. Can we mend it before Friday?
Grace: I'll have the export say its encoding; you keep what can't be read aside.
Ada: Agreed. Who tells the customers?
Grace: That is still open.`;

/** @param {{send: (draft: {name: string, talk: string}) => Promise<void>}} props */
export function SessionForm({ send: put }) {
  const [draft, setDraft] = useState({ name: '', talk: '' });
  const { sending, error, send } = useSending(put);
  const change = (changes) => setDraft({ ...draft, ...changes });
  const ready = /^[A-Za-z0-9._:-]{1,128}$/.test(draft.name) && draft.talk.trim() !== '';

  async function act(event) {
    event.preventDefault();
    if (ready && await send(draft)) setDraft({ name: '', talk: '' });
  }

  return html`
    <form class="import-form" onSubmit=${act}>
      ${error && html`<${Refusal} error=${error} />`}
      <label for="talk">Who said what, a line each</label>
      <textarea id="talk" rows="6" value=${draft.talk} placeholder="Ada: The import fails for every tenth customer…"
        onInput=${({ currentTarget: { value } }) => change({ talk: value })}></textarea>
      <div class="import-options">
        <label>
          <span>Session</span>
          <input type="text" value=${draft.name} placeholder="monday-call" pattern="[A-Za-z0-9._:\\-]{1,128}"
            onInput=${({ currentTarget: { value } }) => change({ name: value })} />
        </label>
      </div>
      <div class="import-acts">
        <button type="button" class="quiet" onClick=${() => change({ name: 'monday-call', talk: SAMPLE })}>
          Use a sample
        </button>
        <button class="send" aria-disabled=${sending || !ready}>${sending ? 'Keeping…' : 'Keep the session'}</button>
      </div>
    </form>
  `;
}
