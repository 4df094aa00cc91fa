/** What a client throws. */
export type Problem = {
    type?: string;
    title?: string;
    status?: number;
    detail?: string;
    instance?: string;
    errors?: {
        pointer: string;
        detail: string;
    }[];
};
/**
 * @typedef {{type?: string, title?: string, status?: number, detail?: string, instance?: string,
 *   errors?: {pointer: string, detail: string}[]}} Problem
 */
/** The service refused: its HTTP status, and the problem (RFC 9457) that it told. */
export declare class ApiError extends Error {
    status: number;
    problem: Problem;
    body: string;
    /** @param {number} status @param {Problem} problem @param {string} [body] of the answer, as it came */
    constructor(status: number, problem: Problem, body?: string);
    /** Whether the same request may well succeed later. */
    get transient(): boolean;
}
/** The job has not ended within the time that the watch was given; it goes on, and can be watched again. */
export declare class TimedOut extends Error {
    /** @param {number} seconds */
    constructor(seconds: number);
}
/** Whether a new try is worth while: whatever the service has not refused for good. @param {unknown} error */
export declare function isPassing(error: unknown): boolean;
