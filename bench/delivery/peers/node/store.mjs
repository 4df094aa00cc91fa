// One connection to the store for all channels of a process.

import { Redis } from "ioredis";

// Calls `heard` with each message; what is returned subscribes to one channel more.
export function hear(socket, heard) {
  const redis = new Redis({ path: socket, maxRetriesPerRequest: null });
  redis.on("message", heard);
  return (channel) => void redis.subscribe(channel);
}
