// `node better.mjs PORT SOCKET`: better-sse on node's own http server, a channel of its for each channel.

import { createServer } from "node:http";
import { createChannel, createSession } from "better-sse";
import { hear } from "./store.mjs";

const [port, socket] = process.argv.slice(2);
const channels = new Map();
const subscribe = hear(socket, (name, message) => channels.get(name)?.broadcast(message, "message"));

createServer(async (request, response) => {
  const name = new URL(request.url, "http://localhost").searchParams.get("id");
  if (!channels.has(name)) {
    channels.set(name, createChannel());
    subscribe(name);
  }
  const session = await createSession(request, response, { keepAlive: 15_000, serializer: (data) => data });
  channels.get(name).register(session);
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 2048 });
