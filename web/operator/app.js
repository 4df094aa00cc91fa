/** The root of the operator's view: the session, the figures over everything, and what the address asks for. */

import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { html } from '../html.js';
import { Bar } from './components/bar.js';
import { SignIn } from './components/sign-in.js';
import { Vitals } from './components/vitals.js';
import { followFigures } from './live-figures.js';
import { createOperator } from './operator.js';
import { placeOf } from './place.js';
import { Audit } from './views/audit.js';
import { DeadLetters } from './views/dead-letters.js';
import { Job } from './views/job.js';
import { Jobs } from './views/jobs.js';
import { Kinds } from './views/kinds.js';
import { Schedules } from './views/schedules.js';
import { Webhooks } from './views/webhooks.js';

const views = {
  jobs: { name: 'Jobs', view: Jobs, one: Job },
  'dead-letters': { name: 'Dead letters', view: DeadLetters },
  kinds: { name: 'Kinds', view: Kinds },
  schedules: { name: 'Schedules', view: Schedules },
  webhooks: { name: 'Webhooks', view: Webhooks },
  audit: { name: 'Audit', view: Audit },
};

function App() {
  const [admitted, admit] = useState(true);
  const operator = useRef(null);
  operator.current ??= createOperator({ signedOut: () => admit(false) });
  const { figures, connection } = useFigures(operator.current, admitted, () => admit(false));
  const place = usePlace();
  const name = Object.hasOwn(views, place.view) ? place.view : 'jobs';
  const where = `${name}/${place.id ?? ''}`;
  const main = useMovedFocus(where);

  if (!admitted) return html`<${SignIn} operator=${operator.current} signedIn=${() => admit(true)} />`;
  if (!figures) return html`<${Beginning} connection=${connection} />`;
  const { view, one } = views[name];
  const shown = place.id && one ? one : view;
  return html`
    <button type="button" class="skip" onClick=${() => main.current.focus()}>Skip to the content</button>
    <${Bar} views=${views} current=${name} figures=${figures} connection=${connection} operator=${operator.current} />
    <${Vitals} figures=${figures} stale=${connection === 'offline'} />
    <main ref=${main} class="operator" tabindex="-1">
      <${shown} key=${where} operator=${operator.current} figures=${figures} place=${place} />
    </main>
  `;
}

function Beginning({ connection }) {
  if (connection !== 'offline') return html`<main class="operator" aria-busy="true"></main>`;
  return html`
    <main class="operator"><p class="notice" role="alert">The service does not answer. Trying again…</p></main>
  `;
}

/** The newest figures for as long as one is admitted, and how they come. */
function useFigures(operator, admitted, refused) {
  const [figures, setFigures] = useState(null);
  const [connection, setConnection] = useState('connecting');
  useEffect(() => {
    setFigures(null);
    setConnection('connecting');
    if (!admitted) return undefined;
    const keep = (told) => setFigures({ ...told, aheadMilliseconds: Date.parse(told.now) - Date.now() });
    return followFigures(operator, { figures: keep, connection: setConnection, refused });
  }, [operator, admitted]);
  return { figures, connection };
}

/** Where to go on reading once another view is looked at. @param {string} where */
function useMovedFocus(where) {
  const main = useRef(null);
  const before = useRef(where);
  useEffect(() => {
    if (before.current === where) return;
    before.current = where;
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [where]);
  return main;
}

function usePlace() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return placeOf(hash);
}

render(html`<${App} />`, document.body);
