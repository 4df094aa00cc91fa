/** Retry and delete for dead letters, asked for once more before it is done. */

import { useState } from 'preact/hooks';

import { count } from '../../figures.js';
import { html } from '../../html.js';
import { Confirm } from './confirm.js';

const MOST_AT_ONCE = 1000;

/**
 * @param {{operator: import('../operator.js').Operator, letters: import('../operator.js').Letters, many: number,
 *   what: string, done: (words: string) => void}} props `what` they are, after their number; `done` is told what
 *   happened
 */
export function LetterActs({ operator, letters, many, what, done }) {
  const [asking, setAsking] = useState('');
  const these = `${count(many)} ${many === 1 ? what.replace('jobs', 'job') : what}`;
  const close = () => setAsking('');

  async function retry() {
    done(wordsFor(await operator.retryLetters(letters), 'runs again', 'run again'));
  }

  async function remove() {
    done(wordsFor(await operator.deleteLetters(letters), 'is deleted', 'are deleted'));
  }

  return html`
    <button type="button" class="quiet" onClick=${() => setAsking('retry')}>
      Retry<span class="unseen"> ${these}</span>
    </button>
    <button type="button" class="quiet" onClick=${() => setAsking('delete')}>
      Delete<span class="unseen"> ${these}</span>
    </button>
    ${asking === 'retry' && html`
      <${Confirm} title=${`Retry ${these}?`} verb="Retry" act=${retry} close=${close}>
        <p>Each goes on from its last kept step. <${AtOnce} many=${many} /></p>
      <//>
    `}
    ${asking === 'delete' && html`
      <${Confirm} title=${`Delete ${these}?`} verb="Delete" danger act=${remove} close=${close}>
        <p>The jobs and all that is kept of them are gone for good. <${AtOnce} many=${many} /></p>
      <//>
    `}
  `;
}

function AtOnce({ many }) {
  return many > MOST_AT_ONCE ? `At most ${count(MOST_AT_ONCE)} at once; the others stay.` : '';
}

/** @param {import('../operator.js').Outcome} outcome @param {string} one @param {string} several */
function wordsFor({ done, left, refused }, one, several) {
  return [
    `${count(done)} job${done === 1 ? ` ${one}` : `s ${several}`}.`,
    left > 0 && `${count(left)} are left.`,
    refused.length > 0 && `${count(refused.length)} refused: ${refused[0].detail}`,
  ].filter(Boolean).join(' ');
}
