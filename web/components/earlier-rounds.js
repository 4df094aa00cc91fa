/** What was said before in a conversation: each question, and its answers to be unfolded. */

import { useEffect, useState } from 'preact/hooks';

import { html } from '../html.js';
import { roundsOf } from '../service.js';
import { nameOf, PROVIDERS } from './answer-card.js';
import { AnswerText } from './answer-text.js';

/**
 * @param {{conversation: string, current: string | undefined}} props `current` is the chat that the view shows by
 *   itself: what came before it is shown here; without one all of it, and the last answers unfolded
 */
export function EarlierRounds({ conversation, current }) {
  const [rounds, setRounds] = useState([]);
  useEffect(() => {
    let shown = true;
    roundsOf(conversation).then((found) => { if (shown) setRounds(found); }, () => {}); // the chat itself is there
    return () => { shown = false; };
  }, [conversation, current]);

  const at = rounds.findIndex(({ jobId }) => jobId === current);
  const earlier = at === -1 ? rounds : rounds.slice(0, at);
  return earlier.length > 0 && html`
    <ol class="earlier" aria-label="Earlier in this conversation">
      ${earlier.map((round) => html`
        <${Round} key=${round.jobId} round=${round} unfolded=${!current && round === earlier.at(-1)} />
      `)}
    </ol>
  `;
}

function Round({ round: { question, answers }, unfolded }) {
  return html`
    <li>
      <h2>${question}</h2>
      <div class="earlier-answers">
        ${PROVIDERS.filter((provider) => answers[provider]).map((provider) => html`
          <details key=${provider} data-provider=${provider} open=${unfolded}>
            <summary><i class="provider-sign" aria-hidden="true"></i>${nameOf(provider)}</summary>
            <${AnswerText} text=${answers[provider]} writing=${false} />
          </details>
        `)}
      </div>
    </li>
  `;
}
