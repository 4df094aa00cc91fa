// What a client's script and the test that runs it say to each other: one line of JSON each time.

import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const { url, secret, ...scene } = JSON.parse(process.argv[2]);

export const headers = { Authorization: `Bearer ${secret}` };

/** Tell the test something. */
export const say = (what) => console.log(JSON.stringify(what));

/** Wait until the test says to go on. */
export const goOn = () => lines.next();

/** Wait for a condition; the test has the patience, and ends the script with it. */
export async function until(condition) {
  while (!condition()) await new Promise((resolve) => { setTimeout(resolve, 10); });
}
