/** The job's log as its readers get it: every update as it comes, from a cursor of one's choice. */

import { useEffect, useRef, useState } from 'preact/hooks';

import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { createTail, NOTHING } from '../tail.js';
import { LogLines } from './log-lines.js';
import { Problem } from './problem.js';

const AT_ONCE = 200;

/** @param {{operator: import('../operator.js').Operator, job: any}} props */
export function Log({ operator, job }) {
  const [tail, setTail] = useState(NOTHING);
  const [after, setAfter] = useState('');
  const [held, setHeld] = useState(null);
  const log = useRef(null);
  log.current ??= createTail(setTail);
  useEffect(() => log.current.stop, []);
  const reading = useAct(read);

  /** The log as the service holds it, a page of it. @param {string} cursor empty: from the oldest update on */
  async function read(cursor) {
    const page = await operator.updates(job.id, { after: cursor, limit: AT_ONCE });
    if (!cursor) log.current.begin();
    log.current.take(page.items);
    setHeld({ cursor: page.cursor, more: page.items.length === AT_ONCE, trimmed: !cursor && page.reset });
  }

  function follow(cursor) {
    setAfter(cursor);
    setHeld(null);
    log.current.follow(job.id, cursor);
  }

  function submit(event) {
    event.preventDefault();
    follow(event.currentTarget.elements.cursor.value.trim());
  }

  return html`
    <section aria-labelledby="log">
      <div class="section-head">
        <h2 id="log">Log</h2>
        <button type="button" class="quiet" onClick=${() => reading.run('')}>Read from the start</button>
        <form class="follow" onSubmit=${submit}>
          <label for="cursor">Follow as a client from cursor</label>
          <input id="cursor" name="cursor" value=${after} placeholder="none: a snapshot first" autocomplete="off"
            spellcheck="false" />
          <button class="quiet">Follow</button>
        </form>
      </div>
      ${reading.error && html`<${Problem} error=${reading.error} />`}
      ${tail === NOTHING
        ? html`
          <p class="soft small">
            Updates carry what the job writes: nothing is read until you ask. The newest cursor
            is <code class="breaks">${job.cursor}</code>.
          </p>
        `
        : html`
          <${LogLines} tail=${tail} pause=${log.current.pause} stop=${log.current.stop} follow=${follow}
            trimmed=${held?.trimmed} readOn=${held?.more && (() => reading.run(held.cursor))} />
        `}
    </section>
  `;
}
