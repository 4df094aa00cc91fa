/** The door: the operator's secret becomes a session, and is kept by no script. */

import { useEffect, useRef } from 'preact/hooks';

import { html } from '../../html.js';
import { useAct } from '../asked.js';
import { useTitle } from '../title.js';
import { Problem } from './problem.js';

/** @param {{operator: import('../operator.js').Operator, signedIn: () => void}} props */
export function SignIn({ operator, signedIn }) {
  const box = useRef(null);
  const { busy, error, run } = useAct((secret) => operator.signIn(secret));
  useTitle('Sign in');
  useEffect(() => box.current.focus(), []);

  async function submit(event) {
    event.preventDefault();
    const secret = box.current.value.trim();
    if (!secret) return;
    const done = await run(secret);
    if (box.current) box.current.value = '';
    if (done) signedIn();
  }

  return html`
    <main class="door">
      <form onSubmit=${submit}>
        <h1>Operator</h1>
        <p>See every job, and act on it. Sign in with the operator's secret; the session ends after 8 hours.</p>
        <label for="secret">Operator's secret</label>
        <input id="secret" ref=${box} type="password" autocomplete="current-password" required />
        ${error && html`<${Refused} error=${error} />`}
        <button class="button" aria-disabled=${busy}>${busy ? 'Signing in…' : 'Sign in'}</button>
        <p class="small">
          It is the value of <code>JOBSTREAM_OPERATOR_SECRET</code>. In demo mode the service shows it once, where it
          was started.
        </p>
      </form>
    </main>
  `;
}

function Refused({ error }) {
  if (error.status !== 401 && error.status !== 403) return html`<${Problem} error=${error} />`;
  return html`<p class="notice failure" role="alert"><strong>That is not the operator's secret.</strong></p>`;
}
