/** The conversations that can still be gone on with. */

import { useEffect, useState } from 'preact/hooks';

import { ageOf } from '../age.js';
import { html } from '../html.js';
import { conversations, roundsOf } from '../service.js';

const LONGEST_NAME = 120;

/** @param {{home: string}} props where a conversation is gone on with */
export function Talks({ home }) {
  const [talks, setTalks] = useState([]);
  useEffect(() => {
    let shown = true;
    talksOf().then((found) => { if (shown) setTalks(found); }, () => {}); // one can ask without
    return () => { shown = false; };
  }, []);

  return talks.length > 0 && html`
    <section class="talks" aria-labelledby="talks">
      <h2 id="talks">Go on with</h2>
      <ul>
        ${talks.map(({ id, name, rounds, at }) => html`
          <li key=${id}>
            <a href=${`${home}/${id}`}>
              <span class="talk-name">${name}</span>
              <span class="talk-facts">${rounds} round${rounds === 1 ? '' : 's'} · ${ageOf(at)}</span>
            </a>
          </li>
        `)}
      </ul>
    </section>
  `;
}

async function talksOf() {
  const talks = await Promise.all((await conversations()).map(async ({ id, updated_at: at }) => {
    const rounds = await roundsOf(id);
    return { id, name: rounds[0]?.question.slice(0, LONGEST_NAME), rounds: rounds.length, at };
  }));
  return talks.filter(({ name }) => name);
}
