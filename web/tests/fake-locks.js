/** A stand-in for the browser's Web Locks, which Node 20 lacks: they can be waited for, and stolen. */

export function someLocks() {
  const queues = new Map();

  return { request };

  function request(name, options, act) {
    const [{ signal, steal }, hold] = act ? [options, act] : [{}, options];
    const queue = queues.get(name) ?? [];
    queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const waiter = { hold, resolve, reject, held: false };
      signal?.addEventListener('abort', () => {
        if (waiter.held) return;
        leave(queue, waiter);
        reject(signal.reason);
      });
      if (steal && queue[0]?.held) queue.shift().reject(new DOMException('stolen', 'AbortError'));
      if (steal) queue.unshift(waiter);
      else queue.push(waiter);
      grant(queue);
    });
  }
}

function grant(queue) {
  const [first] = queue;
  if (!first || first.held) return;
  first.held = true;
  const over = (settle) => (value) => {
    leave(queue, first);
    settle(value);
    grant(queue);
  };
  setImmediate(() => Promise.resolve(first.hold({})).then(over(first.resolve), over(first.reject)));
}

function leave(queue, waiter) {
  const at = queue.indexOf(waiter);
  if (at >= 0) queue.splice(at, 1);
}
