/** The root of the page: which view the address asks for, inside the frame that all views share. */

import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { createClient } from './client.js';
import { SpellBanner } from './components/spell-banner.js';
import { TopBar } from './components/top-bar.js';
import { html } from './html.js';
import { createReach } from './reach.js';
import { createRecents } from './recents.js';
import { createTap } from './tap.js';
import { Chat } from './views/chat.js';
import { Copy } from './views/copy.js';
import { Import } from './views/import.js';
import { Insights } from './views/insights.js';
import { Jobs } from './views/jobs.js';
import { Summaries } from './views/summaries.js';
import { Talk } from './views/talk.js';

const views = [
  { name: 'Chat', home: '#/chat', view: Chat },
  { name: 'Import', home: '#/import', view: Import },
  { name: 'Summaries', home: '#/summaries', view: Summaries },
  { name: 'Insights', home: '#/insights', view: Insights },
  { name: 'Copy', home: '#/copy', view: Copy },
  { name: 'Jobs', home: '#/jobs', view: Jobs },
];
const talk = { name: 'Chat', home: '#/talk', view: Talk };

function App({ client, reach, recents }) {
  const { view, home, id } = useRoute();
  const [known, setKnown] = useState(recents.list());
  useEffect(() => recents.listen(setKnown), [recents]);

  return html`
    <${SpellBanner} reach=${reach} />
    <${TopBar} views=${views} home=${home} known=${known} current=${id} />
    <${view} key=${home} client=${client} recents=${recents} known=${known} home=${home} id=${id} />
  `;
}

function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  const [, path, id] = /^(#\/[a-z]+)(?:\/([A-Za-z0-9_-]{16,64}))?$/.exec(hash) ?? [];
  if (path === talk.home && id) return { ...talk, id };
  const route = views.find(({ home }) => home === path) ?? views[0];
  return { ...route, id: route.home === path ? id : undefined };
}

const { roadOf, ...wires } = createTap(globalThis);
const reach = createReach(createClient(wires));
const client = { ...reach.client, roadOf };
const recents = createRecents(() => localStorage);
render(html`<${App} client=${client} reach=${reach} recents=${recents} />`, document.body);
