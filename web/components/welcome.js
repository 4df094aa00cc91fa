/** What the page shows before anything is asked. */

import { html } from '../html.js';
import { nameOf, PROVIDERS } from './answer-card.js';
import { Talks } from './talks.js';

const SAMPLES = [
  'Explain backpressure to a barista',
  'Plan a rainy Sunday in Lisbon',
  'When is a queue the wrong tool?',
];

/** @param {{pick: (sample: string) => void}} props */
export function Welcome({ pick }) {
  return html`
    <section class="welcome">
      <ul class="bylines" aria-label="Who answers">
        ${PROVIDERS.map((provider) => html`
          <li data-provider=${provider}><i class="provider-sign" aria-hidden="true"></i>${nameOf(provider)}</li>
        `)}
      </ul>
      <h1>One question,<br />three answers, <em>live.</em></h1>
      <p>
        Each word appears as it is written. Close the tab or lose the network: the answers go on without you, and are
        all here when you come back.
      </p>
      <ul class="samples" aria-label="Questions to try">
        ${SAMPLES.map((sample) => html`
          <li><button type="button" onClick=${() => pick(sample)}>${sample}</button></li>
        `)}
      </ul>
      <${Talks} home="#/talk" />
    </section>
  `;
}
