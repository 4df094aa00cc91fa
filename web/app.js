/** The root of the page: which view the address asks for, inside the frame that all views share. */

import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { createClient } from './client.js';
import { TopBar } from './components/top-bar.js';
import { html } from './html.js';
import { createRecents } from './recents.js';
import { Chat } from './views/chat.js';

const routes = [{ path: /^#\/chat(?:\/([A-Za-z0-9_-]{16,64}))?$/, view: Chat, home: '#/chat' }];

function App({ client, recents }) {
  const { view, id, home } = useRoute();
  const [known, setKnown] = useState(recents.list());
  useEffect(() => recents.listen(setKnown), [recents]);

  return html`
    <${TopBar} home=${home} known=${known} current=${id} />
    <${view} client=${client} recents=${recents} known=${known} id=${id} />
  `;
}

function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  const route = routes.find(({ path }) => path.test(hash)) ?? routes[0];
  return { ...route, id: route.path.exec(hash)?.[1] };
}

render(html`<${App} client=${createClient()} recents=${createRecents(() => localStorage)} />`, document.body);
