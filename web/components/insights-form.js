/** What is analysed: a system's name, its measurements, and what to look for. */

import { useRef, useState } from 'preact/hooks';

import { html } from '../html.js';
import { sampleSystem } from '../sample-system.js';
import { useSending } from '../sending.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {{system: string, data: object, prompt: string}} Draft
 *
 * @param {{send: (draft: Draft, key: string) => Promise<void>}} props
 */
export function InsightsForm({ send: submit }) {
  const [system, setSystem] = useState('');
  const [prompt, setPrompt] = useState('');
  const [data, setData] = useState(null);
  const [trouble, setTrouble] = useState('');
  const chooser = useRef(null);
  const { sending, error, send } = useSending(submit);
  const ready = /^[A-Za-z0-9._:-]{1,128}$/.test(system) && data !== null;

  async function take([file]) {
    if (!file) return;
    try {
      setData({ name: file.name, held: readMeasurements(await file.text()) });
      setTrouble('');
      if (!system) setSystem(file.name.replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9._:-]/g, '-').slice(0, 128));
    } catch {
      setTrouble(`${file.name} holds neither JSON nor lines of JSON.`);
    }
  }

  function sample() {
    setSystem('battery-1');
    setData({ name: 'a made-up week of a battery', held: sampleSystem() });
    setTrouble('');
  }

  function act(event) {
    event.preventDefault();
    if (ready) send({ system, data: data.held, prompt });
  }

  return html`
    <form class="import-form" onSubmit=${act}>
      ${error && html`<${Refusal} error=${error} />`}
      ${trouble && html`<p class="notice failure" role="alert">${trouble}</p>`}
      <div class="measurements">
        <p>${data ? data.name : 'JSON, or lines of JSON, each with a time and some numbers'}</p>
        <input ref=${chooser} type="file" class="unseen" tabindex="-1" aria-hidden="true" accept=".json,.ndjson,.jsonl"
          onChange=${({ currentTarget }) => take(currentTarget.files)} />
        <button type="button" class="quiet" onClick=${() => chooser.current.click()}>Choose a file</button>
        <button type="button" class="quiet" onClick=${sample}>Use a sample</button>
      </div>
      <div class="import-options">
        <label>
          <span>What to look for</span>
          <input type="text" value=${prompt} placeholder="Optional: did the battery age?"
            onInput=${({ currentTarget: { value } }) => setPrompt(value)} />
        </label>
        <label>
          <span>System</span>
          <input type="text" value=${system} placeholder="battery-1" required pattern="[A-Za-z0-9._:\\-]{1,128}"
            onInput=${({ currentTarget: { value } }) => setSystem(value)} />
        </label>
      </div>
      <div class="import-acts">
        <span></span>
        <button class="send" aria-disabled=${sending || !ready}>${sending ? 'Sending…' : 'Analyse'}</button>
      </div>
    </form>
  `;
}

/** What a file says, as `analysis_data`. @param {string} text */
function readMeasurements(text) {
  let held;
  try {
    held = JSON.parse(text);
  } catch {
    held = text.split('\n').filter((line) => line.trim()).map((line) => JSON.parse(line));
  }
  return Array.isArray(held) ? { measurements: held } : held;
}
