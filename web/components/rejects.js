/** The records that a copy set aside, and why. */

import { useEffect, useState } from 'preact/hooks';

import { count } from '../figures.js';
import { html } from '../html.js';
import { rejectsOf } from '../service.js';

const SHOWN = 50;

/** @param {{jobId: string, errors: number}} props asked for anew whenever the number of `errors` changes */
export function Rejects({ jobId, errors }) {
  const [rejects, setRejects] = useState([]);
  useEffect(() => {
    let shown = true;
    rejectsOf(jobId).then((found) => { if (shown) setRejects(found); }, () => {});
    return () => { shown = false; };
  }, [jobId, errors]);

  return html`
    <section class="rejects" aria-label="Set aside">
      <h2>Set aside <span class="tally">${count(errors)}</span></h2>
      <ol>
        ${rejects.slice(0, SHOWN).map(({ line, reason, record }) => html`
          <li key=${line}><span>${line}</span><strong>${reason}</strong><code>${JSON.stringify(record)}</code></li>
        `)}
      </ol>
    </section>
  `;
}
