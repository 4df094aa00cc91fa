// `node bare.mjs PORT SOCKET`: node's own http server, and one subscription.

import { createServer } from "node:http";
import { hear } from "./store.mjs";

const [port, socket] = process.argv.slice(2);
const PING_MS = 15_000, PARTS = 64;
const streams = new Map();
const subscribe = hear(socket, (channel, message) => {
  const frame = `data: ${message}\n\n`;
  for (const response of streams.get(channel) ?? []) response.write(frame);
});

createServer((request, response) => {
  const channel = new URL(request.url, "http://localhost").searchParams.get("id");
  if (!streams.has(channel)) {
    streams.set(channel, new Set());
    subscribe(channel);
  }
  streams.get(channel).add(response);
  response.on("close", () => streams.get(channel).delete(response));
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.flushHeaders();
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 2048 });

let part = 0;
setInterval(() => {
  part = (part + 1) % PARTS;
  let number = 0;
  for (const responses of streams.values())
    for (const response of responses) if (number++ % PARTS === part) response.write(": ping\n\n");
}, PING_MS / PARTS);
