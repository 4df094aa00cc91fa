/** What a run of a job did when, drawn: attempts, their steps, and the calls of providers with what they cost. */

import { useState } from 'preact/hooks';

import { StateMark } from '../../components/state-mark.js';
import { count, dollars, duration } from '../../figures.js';
import { html } from '../../html.js';
import { runsOf, totalsOf, waterfallOf } from '../waterfall.js';

const TICKS = 5;
const LEAST_PERCENT = 0.4;

/** @param {{told: any, now: number}} props `told` is the service's answer about the job */
export function Waterfall({ told, now }) {
  const runs = runsOf(told.attempts);
  const [chosen, choose] = useState(null);
  const run = chosen ?? runs[0] ?? told.job.run;
  const { from, to, bars, kept } = waterfallOf(told, run, now);
  const totals = totalsOf(told.calls);
  return html`
    <section aria-labelledby="waterfall">
      <div class="section-head">
        <h2 id="waterfall">What it did</h2>
        ${runs.length > 1 && html`
          <label class="runs">
            <span class="unseen">Run</span>
            <select onChange=${({ currentTarget: { value } }) => choose(Number(value))}>
              ${runs.map((each) => html`
                <option key=${each} value=${each} selected=${each === run}>Run ${each}</option>
              `)}
            </select>
          </label>
        `}
        ${totals.output > 0 && html`
          <p class="soft small">
            ${count(totals.input)} → ${count(totals.output)} tokens
            ${totals.cost !== null && ` · ${dollars(totals.cost)}`}
          </p>
        `}
      </div>
      <div class="waterfall">
        <div class="waterfall-scale" aria-hidden="true">
          <span></span>
          <span class="ticks">${ticksOf(to - from).map((tick) => html`<span>${tick}</span>`)}</span>
          <span>Took</span><span>First token</span><span>Tokens</span><span>Cost</span>
        </div>
        <ol>${bars.map((bar) => html`<${Line} key=${bar.key} bar=${bar} from=${from} to=${to} />`)}</ol>
      </div>
      ${kept.length > 0 && html`<p class="soft small">Kept from an earlier run: <bdi>${kept.join(', ')}</bdi></p>`}
    </section>
  `;
}

function Line({ bar, from, to }) {
  const { name, note, call } = bar;
  const took = bar.from === null || bar.to === null ? call?.elapsed ?? null : (bar.to - bar.from) / 1000;
  return html`
    <li data-what=${bar.what} data-state=${bar.state} data-depth=${bar.depth} data-provider=${call?.provider}>
      <span class="bar-name">
        <${StateMark} state=${bar.state} />
        <bdi>${name}</bdi>${note && html`<bdi class="soft">${note}</bdi>`}
      </span>
      <${Track} bar=${bar} from=${from} to=${to} />
      <span class="bar-fact"><span class="label">took </span>${took === null ? '–' : duration(took)}</span>
      <${BarFact} label="first token" value=${typeof call?.first_token === 'number' && duration(call.first_token)} />
      <${BarFact} label="tokens" value=${tokensOf(call)} />
      <${BarFact} label="cost" value=${typeof call?.cost === 'number' && dollars(call.cost)} />
    </li>
  `;
}

function BarFact({ label, value }) {
  return html`
    <span class="bar-fact" data-none=${!value}>${value && html`<span class="label">${label} </span>${value}`}</span>
  `;
}

function Track({ bar, from, to }) {
  const percent = (moment) => (100 * (moment - from)) / (to - from);
  if (bar.from === null || bar.to === null) return html`<svg class="track" aria-hidden="true"></svg>`;
  const width = Math.max(LEAST_PERCENT, percent(bar.to) - percent(bar.from));
  const start = Math.min(percent(bar.from), 100 - width);
  const beforeFirst = bar.first === null ? 0 : Math.max(0, percent(bar.first) - start);
  return html`
    <svg class="track" aria-hidden="true">
      <${Block} start=${start} width=${width} />
      ${beforeFirst > 0 && html`<${Block} className="before-first" start=${start} width=${beforeFirst} />`}
    </svg>
  `;
}

function Block({ start, width, className }) {
  return html`<rect class=${className} x=${`${start}%`} width=${`${width}%`} y="25%" height="50%" rx="2" />`;
}

/** Evenly spread moments of the scale. @param {number} milliseconds it spans */
function ticksOf(milliseconds) {
  return Array.from({ length: TICKS }, (_, index) => duration((milliseconds * index) / (TICKS - 1) / 1000));
}

function tokensOf(call) {
  if (!call || call.output_tokens === null) return null;
  return `${count(call.input_tokens ?? 0)} → ${count(call.output_tokens)}`;
}
