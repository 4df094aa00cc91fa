/** What is copied: files of a named connection, into a table of another. */

import { useState } from 'preact/hooks';

import { html } from '../html.js';
import { useSending } from '../sending.js';
import { Refusal } from './refusal.js';

const FIELDS = [
  { name: 'from', label: 'Connection to read from', value: 'lake' },
  { name: 'path', label: 'File, folder or pattern', value: 'customers.csv' },
  { name: 'to', label: 'Connection to write to', value: 'desk' },
  { name: 'table', label: 'Table', value: 'customers' },
  { name: 'key', label: 'Key columns', value: 'id' },
];

/** @param {{send: (input: object, key: string) => Promise<void>}} props */
export function CopyForm({ send: submit }) {
  const [draft, setDraft] = useState({ ...Object.fromEntries(FIELDS.map(({ name, value }) => [name, value])), dry: false });
  const { sending, error, send } = useSending((given, key) => submit(inputOf(given), key));
  const change = (changes) => setDraft({ ...draft, ...changes });

  return html`
    <form class="import-form" onSubmit=${(event) => { event.preventDefault(); send(draft); }}>
      ${error && html`<${Refusal} error=${error} />`}
      <div class="copy-fields">
        ${FIELDS.map(({ name, label }) => html`
          <label key=${name}>
            <span>${label}</span>
            <input type="text" required value=${draft[name]}
              onInput=${({ currentTarget: { value } }) => change({ [name]: value })} />
          </label>
        `)}
      </div>
      <div class="import-acts">
        <label class="check">
          <input type="checkbox" checked=${draft.dry} onChange=${({ currentTarget: { checked } }) => change({ dry: checked })} />
          Only try: write nothing
        </label>
        <button class="send" aria-disabled=${sending}>${sending ? 'Sending…' : 'Copy'}</button>
      </div>
    </form>
  `;
}

function inputOf({ from, path, to, table, key, dry }) {
  return {
    source: { connection: from, path },
    destination: { connection: to, table },
    key: key.split(',').map((column) => column.trim()).filter(Boolean),
    ...(dry && { dry_run: true }),
  };
}
