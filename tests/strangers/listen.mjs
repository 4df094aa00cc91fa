/**
 * Follows one job with somebody else's client of server-sent events, to its end, and prints each part's text:
 * `node listen.mjs <client> <url of the stream> <token>`. What comes twice or out of order is an error.
 */
import fetchEventSourceModule from '@microsoft/fetch-event-source';
import { EventSource } from 'eventsource';
import { createParser } from 'eventsource-parser';

const TYPES = ['snapshot', 'state', 'progress', 'step', 'part', 'delta', 'end'];

/** Each takes what to call with an event's id, type and data; true from it says that no more is wanted. */
const CLIENTS = { eventsource, 'eventsource-parser': parser, 'fetch-event-source': fetchEventSource };

const [client, url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const parts = {};
let seen = 0;

/** An update did not follow the one before it. */
class Gap extends Error {}

await CLIENTS[client]((id, type, data) => {
  const seq = Number(id.split('-')[1]);
  if (seq !== seen + 1 && (type !== 'snapshot' || seq <= seen)) throw new Gap(`update ${seq} came after ${seen}`);
  seen = seq;
  take(type, JSON.parse(data));
  return type === 'end';
});
console.log(JSON.stringify(parts));

function take(type, data) {
  if (type === 'snapshot') for (const [name, part] of Object.entries(data.parts)) parts[name] = part.text;
  if (type === 'part' && data.text !== undefined) parts[data.part] = data.text;
  if (type !== 'delta') return;
  if (parts[data.part].length !== data.at) throw new Error(`a piece for ${data.at} came at ${parts[data.part].length}`);
  parts[data.part] += data.text;
}

/** Comes back by itself, with the last id; the token goes with its own fetch. */
function eventsource(hear) {
  const source = new EventSource(url, { fetch: (to, init) => fetch(to, { ...init, headers: { ...init.headers, ...headers } }) });
  return new Promise((resolve, reject) => {
    const listen = ({ lastEventId, type, data }) => {
      try {
        if (hear(lastEventId, type, data)) resolve(source.close());
      } catch (error) {
        reject(error);
      }
    };
    for (const type of TYPES) source.addEventListener(type, listen);
    source.addEventListener('error', ({ code }) => code && source.readyState === source.CLOSED && reject(new Error(code)));
  });
}

/** Parses and nothing else: coming back is its caller's. */
async function parser(hear) {
  let last;
  let ended = false;
  while (!ended) {
    const events = createParser({
      onEvent: ({ id, event, data }) => {
        if (id === undefined) return;
        ended = hear(id, event, data);
        last = id;
      },
    });
    try {
      const place = last ? { 'Last-Event-ID': last } : {};
      const { body } = await fetch(url, { headers: { ...headers, ...place } });
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) events.feed(chunk);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // what fetch says of a broken connection
    }
  }
}

/**
 * Written for pages: it wants a window and a document. It takes an id for seen before its update is whole, so that a cut
 * in between loses the update; numbers without a gap show it, and a stream without a cursor begins with a snapshot.
 */
async function fetchEventSource(hear) {
  globalThis.window = globalThis;
  globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
  let ended = false;
  while (!ended) {
    await fetchEventSourceModule.fetchEventSource(url, {
      headers,
      openWhenHidden: true,
      async onopen({ status }) { if (status === 204) throw new Gap('the end was lost'); },
      onmessage({ id, event, data }) { if (id) ended = hear(id, event, data); },
      onclose() { if (!ended) throw new Error('closed before the end'); },
      onerror(error) { if (error instanceof Gap) throw error; },
    }).catch((error) => {
      if (!(error instanceof Gap)) throw error;
      seen = 0;
    });
  }
}
