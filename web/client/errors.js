/** What the service answers when it refuses. */

/**
 * @typedef {{type?: string, title?: string, status?: number, detail?: string, instance?: string,
 *   errors?: {pointer: string, detail: string}[]}} Problem
 */

/** The service refused: its HTTP status, and the problem (RFC 9457) that it told. */
export class ApiError extends Error {
  /** @param {number} status @param {Problem} problem */
  constructor(status, problem) {
    super(problem.detail || problem.title || `The service answered ${status}.`);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }

  /** Whether the same request may well succeed later. */
  get transient() {
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}
