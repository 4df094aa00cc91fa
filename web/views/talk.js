/** A conversation as it was, to be gone on with or forgotten; its chats themselves may be gone already. */

import { useRef, useState } from 'preact/hooks';

import { ActButton } from '../components/act-button.js';
import { Composer } from '../components/composer.js';
import { EarlierRounds } from '../components/earlier-rounds.js';
import { html } from '../html.js';
import { deleteConversation } from '../service.js';
import { useTitle } from '../watched-job.js';

const CHAT = '#/chat';

/**
 * @param {{client: import('../watching.js').PageClient, id: string,
 *   recents: ReturnType<typeof import('../recents.js').createRecents>}} props `id` is the conversation's
 */
export function Talk({ client, recents, id }) {
  const [text, setText] = useState('');
  const box = useRef(null);
  useTitle('A conversation');

  async function send(asked, key) {
    const job = await client.submit('chat', { message: asked, conversation_id: id }, { idempotency_key: key });
    recents.add({ id: job.id, home: CHAT, title: asked, conversation: id });
    location.hash = `${CHAT}/${job.id}`;
  }

  async function forget() {
    await deleteConversation(id);
    location.hash = CHAT;
  }

  return html`
    <main class="chat">
      <section class="conversation">
        <h1 class="question">The talk <em>so far.</em></h1>
        <div class="talk-acts">
          <${ActButton} label="Forget it" sure="Forget for good?" doing="Forgetting…" what="this conversation"
            act=${forget} />
        </div>
        <${EarlierRounds} conversation=${id} />
      </section>
      <div class="dock">
        <${Composer} text=${text} onText=${setText} box=${box} placeholder="Ask further…" send=${send} />
      </div>
    </main>
  `;
}
