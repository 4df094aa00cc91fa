/** A journey as a board: a column for each stage, a card for each step. It may be shown while it is still written. */

import { html } from '../html.js';

/** @typedef {{title?: string, description?: string, actor?: string, channel?: string, emotion?: string,
 *   pain_points?: string[], opportunities?: string[]}} Step */
/** @typedef {{title?: string, summary?: string, personas?: string[], stages?: {name?: string, steps?: Step[]}[]}} Journey */

/** @param {{journey: Journey, growing: boolean}} props */
export function JourneyBoard({ journey, growing }) {
  const { title, summary, personas = [], stages = [] } = journey;
  return html`
    <article class="journey" data-growing=${growing} aria-busy=${growing}>
      <header>
        ${title && html`<h2>${title}</h2>`}
        ${summary && html`<p class="journey-summary">${summary}</p>`}
        ${personas.length > 0 && html`
          <ul class="personas" aria-label="Personas">${personas.map((persona) => html`<li>${persona}</li>`)}</ul>
        `}
      </header>
      ${stages.length > 0 && html`
        <ol class="stages" aria-label="Stages" tabindex="0">
          ${stages.map((stage, at) => html`<${Stage} key=${at} stage=${stage} number=${at + 1} />`)}
        </ol>
      `}
    </article>
  `;
}

function Stage({ stage: { name, steps = [] }, number }) {
  return html`
    <li class="stage">
      <h3><span class="stage-number">${number}</span>${name}</h3>
      <ol>${steps.map((step, at) => html`<${StepCard} key=${at} step=${step} />`)}</ol>
    </li>
  `;
}

function StepCard({ step }) {
  const { title, description, actor, channel, emotion, pain_points: pains = [], opportunities = [] } = step;
  return html`
    <li class="step-card">
      <h4>${title}</h4>
      ${description && html`<p>${description}</p>`}
      <dl>
        <${Trait} name="Actor" value=${actor} />
        <${Trait} name="Channel" value=${channel} />
        <${Trait} name="Emotion" value=${emotion} />
      </dl>
      <${Notes} name="Pain points" sign="−" notes=${pains} />
      <${Notes} name="Opportunities" sign="+" notes=${opportunities} />
    </li>
  `;
}

function Trait({ name, value }) {
  return value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function Notes({ name, sign, notes }) {
  return notes.length > 0 && html`
    <ul class="step-notes" data-sign=${sign} aria-label=${name}>${notes.map((note) => html`<li>${note}</li>`)}</ul>
  `;
}
