// AG-UI's agents, whose runs are connected to again.

import { HttpAgent } from '@ag-ui/client';

import { goOn, headers, say, scene, until, url } from './talk.js';

const question = { id: 'question', role: 'user', content: scene.question };
const forwardedProps = { model: scene.model };

/** An agent of the thread, and what its runs told it. */
function anAgent(path = '', initialMessages = [question]) {
  const agent = new HttpAgent({ url: `${url}/ag-ui/agent${path}`, headers, threadId: scene.thread, initialMessages });
  const heard = { job: null, outcome: null, error: null, usage: null };
  agent.subscribe({
    onRunStartedEvent: ({ event }) => { heard.job = event.metadata.job; },
    onRunFinishedEvent: ({ event, outcome }) => { Object.assign(heard, { outcome, usage: event.usage }); },
    onRunErrorEvent: ({ event: { message, code } }) => { heard.error = { message, code }; },
  });
  return { agent, heard, answers: () => agent.messages.slice(1).map(({ content }) => content) };
}

const tell = ({ heard, answers }) => say({ ...heard, texts: answers() });

const scenes = {
  async 'asked and read'() {
    const one = anAgent();
    await one.agent.runAgent({ forwardedProps }).catch(() => {});
    tell(one);
  },

  async 'reloaded in the middle'() {
    const first = anAgent();
    first.agent.runAgent({ forwardedProps }).catch(() => {});
    await until(() => first.answers()[0]);
    say(first.answers());
    await goOn();
    first.agent.abortRun();
    const kept = scene.keeps ? structuredClone(first.agent.messages) : undefined;
    const second = anAgent('/connect', kept);
    const connected = second.agent.runAgent();
    await until(() => second.heard.job && second.answers()[0]);
    say(second.answers());
    await goOn();
    await connected;
    tell(second);
  },

  async 'read by two'() {
    const first = anAgent();
    const ran = first.agent.runAgent({ forwardedProps });
    await until(() => first.answers()[0]);
    const second = anAgent('/connect');
    const connected = second.agent.runAgent();
    await until(() => second.answers()[0]);
    say(second.answers());
    await goOn();
    await Promise.all([ran, connected]);
    tell(first);
    tell(second);
  },

  async 'cancelled'() {
    const one = anAgent();
    const ran = one.agent.runAgent({ forwardedProps });
    await until(() => one.answers()[0]);
    await fetch(`${url}/v1/jobs/${one.heard.job}/cancel`, { method: 'POST', headers });
    await ran;
    tell(one);
  },

  async 'connected when nothing ran'() {
    const one = anAgent('/connect');
    await one.agent.runAgent();
    tell(one);
  },
};

await scenes[scene.name]();
process.exit(0); // connections that are kept alive would keep the process too
