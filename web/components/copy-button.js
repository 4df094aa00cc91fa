/** A button that puts a text on the clipboard and says so. */

import { useEffect, useState } from 'preact/hooks';

import { html } from '../html.js';

const SAID_MILLISECONDS = 1600;
const labels = { ready: 'Copy', copied: 'Copied', refused: 'Not allowed' };

/**
 * @param {{text: string | (() => Promise<string>), what: string}} props a function makes the text when it is wanted;
 *   `what` names it for those who can't see the button's place
 */
export function CopyButton({ text, what }) {
  const [outcome, setOutcome] = useState('ready');
  useEffect(() => {
    const timer = setTimeout(() => setOutcome('ready'), SAID_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [outcome]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? await text() : text);
      setOutcome('copied');
    } catch {
      setOutcome('refused');
    }
  }

  return html`
    <button type="button" class="quiet" onClick=${copy}>
      <span aria-live="polite">${labels[outcome]}</span><span class="unseen"> ${what}</span>
    </button>
  `;
}
