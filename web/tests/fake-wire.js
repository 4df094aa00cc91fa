/** A stand-in for the browser's EventSource and fetch: it notes what was asked and answers as the test says. */

export function aWire({ answers = [] } = {}) {
  const streams = [];
  const requests = [];

  class EventSource extends EventTarget {
    readyState = 0;

    constructor(url) {
      super();
      this.url = new URL(url);
      this.lastEventId = '';
      streams.push(this);
    }

    open() {
      this.readyState = 1;
      this.dispatchEvent(new Event('open'));
    }

    send(event, data, id) {
      this.lastEventId = id ?? this.lastEventId;
      const message = new MessageEvent(event, { data: JSON.stringify(data), lastEventId: this.lastEventId });
      this.dispatchEvent(message);
    }

    cut({ forGood = false } = {}) {
      this.readyState = forGood ? 2 : 0;
      this.dispatchEvent(new Event('error'));
    }

    close() {
      this.readyState = 2;
    }
  }

  async function fetch(url, init) {
    requests.push({ url: new URL(url), ...init });
    if (!answers.length) throw new TypeError('nothing answers');
    return answers.length > 1 ? answers.shift() : answers[0].clone();
  }

  return { EventSource, fetch, streams, requests, answers };
}

export function anAnswer(body, { status = 200, ...headers } = {}) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  return new Response(body && JSON.stringify(body), { status, headers: { 'Content-Type': type, ...headers } });
}

const PATIENCE_MILLISECONDS = 30_000;

/**
 * Returns when the condition holds, moving a mocked clock on by `step` milliseconds each turn, for so many turns at
 * most.
 */
export async function until(condition, { clock, step = 0, turns = clock ? 2000 : Infinity } = {}) {
  const began = performance.now();
  for (let turn = 0; !condition(); turn += 1) {
    const late = performance.now() - began > PATIENCE_MILLISECONDS;
    if (late || turn > turns) throw new Error(`never came true: ${condition}`);
    if (clock) clock.tick(step);
    await new Promise(setImmediate);
  }
}
