/** The job itself: where it stands, for how long, by how many updates, over what connection. */

import { count, duration } from '../figures.js';
import { html } from '../html.js';
import { ActButton } from './act-button.js';
import { StateMark } from './state-mark.js';
import { Ticking } from './ticking.js';

/** The states in which a job can still be cancelled. */
export const CANCELLABLE = ['scheduled', 'queued', 'running', 'waiting', 'retrying'];
const connections = {
  connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', polling: 'Polling', closed: 'Stream closed',
};

/**
 * @param {{watching: import('../watching.js').Watching, wireOpen: boolean, toggleWire: () => void,
 *   cancel: () => Promise<unknown>}} props
 */
export function JobBar({ watching, wireOpen, toggleWire, cancel }) {
  const { snapshot, connection } = watching;
  return html`
    <div class="job-bar">
      <${StateMark} state=${snapshot?.state ?? 'queued'} />
      <span class="job-time"><${Elapsed} ...${watching} /></span>
      <span class="job-count">${count(watching.count)} update${watching.count === 1 ? '' : 's'}</span>
      <span class="connection" data-connection=${connection}><i aria-hidden="true"></i>${connections[connection]}</span>
      <span class="job-acts">
        <button type="button" class="quiet" aria-expanded=${wireOpen} aria-controls="wire" onClick=${toggleWire}>
          Wire
        </button>
        ${CANCELLABLE.includes(snapshot?.state) && html`
          <${ActButton} label="Stop" doing="Stopping…" act=${cancel} />
        `}
      </span>
    </div>
  `;
}

function Elapsed({ snapshot, began }) {
  if (snapshot?.finished_at && snapshot.started_at) {
    return duration((Date.parse(snapshot.finished_at) - Date.parse(snapshot.started_at)) / 1000);
  }
  return began === null ? duration(0) : html`<${Ticking} since=${began} />`;
}
