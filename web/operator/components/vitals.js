/** The service at a glance: what waits, what runs, who works, who listens, how full the store is. */

import { count, duration } from '../../figures.js';
import { html } from '../../html.js';
import { hashOf } from '../place.js';
import { bytes } from '../sizes.js';
import { ageOf } from './when.js';

const STATES = {
  queued: 'Queued', running: 'Running', scheduled: 'Scheduled', waiting: 'Waiting', retrying: 'Retrying',
};

/** @param {{figures: any, stale: boolean}} props `stale`: nothing newer can be had just now */
export function Vitals({ figures, stale }) {
  const { jobs, dead, oldest_waiting: oldest, workers, streams, store, paused } = figures;
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const taken = workers.reduce((sum, worker) => sum + worker.running, 0);
  return html`
    <section class="vitals" aria-label="The service now" data-stale=${stale}>
      <dl>
        ${Object.entries(STATES).map(([state, name]) => html`
          <${Vital} key=${state} name=${name} value=${jobs[state]} href=${hashOf('jobs', { state })} />
        `)}
        <${Vital} name="Parked" value=${jobs.parked} title="Wait for a place of their kind, or for it to be resumed" />
        <${Vital} name="Dead" value=${dead} href=${hashOf('dead-letters')} bad=${dead > 0} />
        <${Vital} name="Oldest waiting" value=${oldest === null ? '–' : duration(oldest)} />
        <${Vital} name="Slots in use" value=${`${count(taken)} of ${count(slots)}`} bad=${workers.length === 0} />
        <${Vital} name="Open streams" value=${Object.values(streams).reduce((sum, open) => sum + open, 0)}
          title=${Object.entries(streams).map(([road, open]) => `${road.replaceAll('_', ' ')}: ${open}`).join(', ')} />
        <${Vital} name="Store" value=${memoryOf(store)} bad=${store.state !== 'ok'} />
      </dl>
      <${Workers} workers=${workers} now=${Date.parse(figures.now)} />
      ${paused.length > 0 && html`
        <p class="vitals-note">
          Paused: ${paused.map((kind) => html`<a key=${kind} href=${hashOf('kinds')}><bdi>${kind}</bdi></a> `)}
        </p>
      `}
      ${store.state !== 'ok' && html`
        <p class="vitals-note" data-bad>The store is ${store.state}: it takes no new jobs.</p>
      `}
    </section>
  `;
}

function Vital({ name, value, href, title, bad = false }) {
  const shown = typeof value === 'number' ? count(value) : value;
  return html`
    <div data-bad=${bad} data-none=${value === 0} title=${title}>
      <dt>${name}</dt>
      <dd>${href ? html`<a href=${href} aria-label=${`${name}: ${shown}`}>${shown}</a>` : shown}</dd>
    </div>
  `;
}

function Workers({ workers, now }) {
  if (!workers.length) {
    return html`
      <p class="vitals-note" data-bad>
        No worker is alive: jobs wait. Start one with <code>arq workers.main.WorkerSettings</code>.
      </p>
    `;
  }
  return html`
    <ul class="workers" aria-label="Workers">
      ${workers.map(({ name, host, pid, slots, running, seen_at: seen, started_at: started }) => html`
        <li key=${name} title=${`Process ${pid} on ${host}, since ${started}`}>
          <bdi>${name}</bdi>
          <meter min="0" max=${slots} value=${running} aria-label=${`Slots of ${name} in use`}></meter>
          <span>${running} of ${slots}</span>
          <span class="soft">seen ${ageOf(seen, now)}</span>
        </li>
      `)}
    </ul>
  `;
}

function memoryOf({ memory_bytes: used, max_memory_bytes: most }) {
  return most ? `${bytes(used)} of ${bytes(most)}` : bytes(used);
}
