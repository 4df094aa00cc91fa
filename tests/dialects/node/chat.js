// Pages with the AI SDK's `useChat`, each in a React tree of its own.

import { Chat, useChat } from '@ai-sdk/react';
import { DefaultChatTransport } from 'ai';
import { createElement } from 'react';
import { create } from 'react-test-renderer';

import { goOn, headers, say, scene, until, url } from './talk.js';

const transport = (options = {}) => new DefaultChatTransport({ api: `${url}/api/chat`, headers, ...options });

/** The network, on which the first answer to a question breaks off in the middle. */
async function breaking(input, init) {
  const response = await fetch(input, init);
  if (init.method !== 'POST') return response;
  const seen = { bytes: 0 };
  const broken = new TransformStream({
    transform(chunk, stream) {
      stream.enqueue(chunk);
      seen.bytes += chunk.length;
      if (seen.bytes > 400) stream.error(new TypeError('network error'));
    },
  });
  return new Response(response.body.pipeThrough(broken), response);
}

/** Somebody opens the chat: what the hook says at any time, and how to close the page. */
async function open(options) {
  const page = { chat: null, texts: () => texts(page.chat) };
  function Page() {
    page.chat = useChat({ id: scene.chat, transport: transport(), ...options });
    return null;
  }
  const root = create(createElement(Page));
  await until(() => page.chat);
  page.close = async () => {
    await page.chat.stop(); // a browser does that to the requests of a page that it leaves
    root.unmount();
  };
  return page;
}

/** What the newest answer says: its text parts, without what was superseded. */
function texts({ messages }) {
  const newest = messages.at(-1);
  if (newest?.role !== 'assistant') return [];
  return newest.parts.filter((part) => part.type === 'text' && !part.providerMetadata.jobstream.superseded).map(({ text }) => text);
}

const ask = (page) => page.chat.sendMessage({ text: scene.question }, { body: { model: scene.model } });

/** The hook says so a moment after the chat has ended. */
const idle = (page) => until(() => ['ready', 'error'].includes(page.chat.status));

function tell(page) {
  const { messages, status, error } = page.chat;
  say({ status, error: error?.message ?? null, id: messages.at(-1).id, texts: page.texts(), messages });
}

const scenes = {
  async 'asked and read'() {
    const page = await open();
    await ask(page);
    await until(() => page.chat.messages.length === 2);
    await idle(page);
    tell(page);
  },

  async 'reloaded in the middle'() {
    const first = await open();
    ask(first);
    await until(() => first.texts()[0]);
    say(first.texts());
    await goOn();
    await first.close();
    const second = await open({ resume: true, messages: [first.chat.messages[0]] });
    await until(() => second.texts()[0]);
    say(second.texts());
    await goOn();
    await until(() => second.chat.status === 'ready');
    tell(second);
  },

  async 'read by two'() {
    const first = await open();
    ask(first);
    await until(() => first.texts()[0]);
    const second = await open({ resume: true, messages: [first.chat.messages[0]] });
    await until(() => second.texts()[0]);
    say(second.texts());
    await goOn();
    for (const page of [first, second]) {
      await until(() => page.chat.status === 'ready');
      tell(page);
    }
  },

  async 'stopped'() {
    const page = await open();
    const asked = ask(page);
    await until(() => page.texts()[0]);
    const stop = await fetch(`${url}/api/chat/${scene.chat}/stop`, { method: 'POST', headers });
    say(await stop.json());
    await asked;
    await idle(page);
    tell(page);
  },

  async 'asked twice'() {
    const page = await open();
    for (const model of [scene.model, 'openai']) {
      const before = page.chat.messages.length;
      await page.chat.sendMessage({ text: scene.question }, { body: { model } });
      await until(() => page.chat.messages.length === before + 2 && page.chat.status === 'ready');
      tell(page);
    }
  },

  async 'cut off by the network'() {
    const page = await open({ chat: new Chat({ id: scene.chat, transport: transport({ fetch: breaking }) }) });
    await ask(page);
    await until(() => page.chat.status === 'error');
    say(page.texts());
    await page.chat.resumeStream();
    await until(() => page.chat.status === 'ready');
    tell(page);
  },

  async 'opened when nothing runs'() {
    const page = await open({ resume: true });
    await until(() => page.chat.status === 'ready');
    say({ status: page.chat.status, messages: page.chat.messages });
  },

  async 'asked without a credential'() {
    const page = await open({ transport: transport({ headers: {} }) });
    await ask(page);
    await until(() => page.chat.error);
    say({ status: page.chat.status, error: page.chat.error.message });
  },
};

await scenes[scene.name]();
process.exit(0); // connections that are kept alive would keep the process too
