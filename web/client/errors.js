/** What a client throws. */

/**
 * @typedef {{type?: string, title?: string, status?: number, detail?: string, instance?: string,
 *   errors?: {pointer: string, detail: string}[]}} Problem
 */

/** The service refused: its HTTP status, and the problem (RFC 9457) that it told. */
export class ApiError extends Error {
  /** @param {number} status @param {Problem} problem @param {string} [body] of the answer, as it came */
  constructor(status, problem, body = '') {
    super(problem.detail || problem.title || `The service answered ${status}.`);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
    this.body = body;
  }

  /** Whether the same request may well succeed later. */
  get transient() {
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** The job has not ended within the time that the watch was given; it goes on, and can be watched again. */
export class TimedOut extends Error {
  /** @param {number} seconds */
  constructor(seconds) {
    super(`The job has not ended within ${seconds} s.`);
    this.name = 'TimedOut';
  }
}

/** Whether a new try is worth while: whatever the service has not refused for good. @param {unknown} error */
export function isPassing(error) {
  return !(error instanceof ApiError) || error.transient;
}
