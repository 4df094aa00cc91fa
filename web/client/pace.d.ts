/** How long things may take, in seconds; a client may be given other figures. */
export type Pace = typeof PACE;
/**
 * @typedef {typeof PACE} Pace
 */
export declare const PACE: {
    /** An answer to a request. */
    request: number;
    /** The first word of a connection that owes a snapshot at once. */
    first: number;
    /** The first word of a connection that goes on from a cursor. */
    resumed: number;
    /** Between two words of a connection; the service pings after 15 s of silence. */
    silence: number;
    /** How long the service holds a poll back while nothing changes. */
    hold: number;
    /** Between two polls that are not held. */
    unheld: number;
    /** Before the first new try; the double before each further one. */
    firstBackOff: number;
    longestBackOff: number;
    /** Over which all come back by socket whom a service that stops has sent away; streams are told theirs. */
    spread: number;
    /** Before a better way than the present one is tried again. */
    climb: number;
    /** What the leading tab may take to answer. */
    answer: number;
    /** How long the leading tab may say nothing before it is asked. */
    quiet: number;
};
