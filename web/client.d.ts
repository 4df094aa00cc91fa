/**
 * The client of a Jobstream service: submit a job, watch it live, cancel it, run it again. It is served and published
 * as it stands, for browsers and for Node.
 */
import { ApiError, TimedOut } from './client/errors.js';
import { fold, verify } from './client/fold.js';
export { ApiError, fold, TimedOut, verify };
export type Snapshot = import('./client/model.js').Snapshot;
export type Part = import('./client/model.js').Part;
export type Update = import('./client/model.js').Update;
export type Connection = import('./client/model.js').Connection;
export type Watch = import('./client/model.js').Watch;
export type Client = import('./client/model.js').Client;
export type ClientOptions = import('./client/model.js').ClientOptions;
export type SubmitOptions = import('./client/model.js').SubmitOptions;
export type WatchOptions = import('./client/model.js').WatchOptions;
/**
 * @typedef {import('./client/model.js').Snapshot} Snapshot
 * @typedef {import('./client/model.js').Part} Part
 * @typedef {import('./client/model.js').Update} Update
 * @typedef {import('./client/model.js').Connection} Connection
 * @typedef {import('./client/model.js').Watch} Watch
 * @typedef {import('./client/model.js').Client} Client
 * @typedef {import('./client/model.js').ClientOptions} ClientOptions
 * @typedef {import('./client/model.js').SubmitOptions} SubmitOptions
 * @typedef {import('./client/model.js').WatchOptions} WatchOptions
 */
/**
 * A client of one service: the one named, or in Node that of `JOBSTREAM_URL`, or that of the page. Without a token it
 * relies on the cookie of the page, in Node on `JOBSTREAM_TOKEN` or the service secret.
 *
 * @param {ClientOptions} [options]
 * @returns {Client}
 */
export declare function createClient(options?: ClientOptions): Client;
