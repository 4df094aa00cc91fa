/** How long things may take, in seconds; a client may be given other figures. */

/**
 * @typedef {typeof PACE} Pace
 */

export const PACE = {
  /** An answer to a request. */
  request: 10,
  /** The first word of a connection that owes a snapshot at once. */
  first: 6,
  /** The first word of a connection that goes on from a cursor. */
  resumed: 20,
  /** Between two words of a connection; the service pings after 15 s of silence. */
  silence: 40,
  /** How long the service holds a poll back while nothing changes. */
  hold: 25,
  /** Between two polls that are not held. */
  unheld: 2,
  /** Before the first new try; the double before each further one. */
  firstBackOff: 0.25,
  longestBackOff: 30,
  /** Over which all come back by socket whom a service that stops has sent away; streams are told theirs. */
  spread: 5,
  /** Before a better way than the present one is tried again. */
  climb: 60,
  /** What the leading tab may take to answer. */
  answer: 5,
  /** How long the leading tab may say nothing before it is asked. */
  quiet: 20,
};
