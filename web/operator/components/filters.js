/** Which jobs to look at; the address holds the choice, so that it can be kept and sent. */

import { html } from '../../html.js';
import { wordFor } from '../../components/state-mark.js';
import { hashOf } from '../place.js';

const STATES = [
  'scheduled', 'queued', 'running', 'waiting', 'retrying', 'cancelling', 'completed', 'failed', 'cancelled',
];

/** @param {{query: Record<string, string>, kinds: string[]}} props */
export function Filters({ query, kinds }) {
  const { kind = '', state = '', subject = '' } = query;
  const go = (changes) => { location.hash = hashOf('jobs', { kind, state, subject, ...changes }); };
  const known = kind && !kinds.includes(kind) ? [kind, ...kinds] : kinds;

  function submit(event) {
    event.preventDefault();
    go({ subject: event.currentTarget.elements.subject.value.trim() });
  }

  return html`
    <form class="filters" role="search" onSubmit=${submit}>
      <label>
        <span class="unseen">Kind</span>
        <select onChange=${({ currentTarget: { value } }) => go({ kind: value })}>
          <option value="" selected=${!kind}>Every kind</option>
          ${known.map((each) => html`<option key=${each} value=${each} selected=${each === kind}>${each}</option>`)}
        </select>
      </label>
      <label>
        <span class="unseen">State</span>
        <select onChange=${({ currentTarget: { value } }) => go({ state: value })}>
          <option value="" selected=${!state}>Every state</option>
          ${STATES.map((each) => html`
            <option key=${each} value=${each} selected=${each === state}>${wordFor(each)}</option>
          `)}
        </select>
      </label>
      <label>
        <span class="unseen">Subject</span>
        <input name="subject" type="search" placeholder="Subject" value=${subject} autocomplete="off"
          spellcheck="false" />
      </label>
      ${(kind || state || subject) && html`<a class="quiet" href=${hashOf('jobs')}>Clear</a>`}
    </form>
  `;
}
