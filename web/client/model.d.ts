/** What goes over the wire, and what a client gives to whoever uses it: types alone. */
export type Usage = {
    input_tokens: number;
    output_tokens: number;
    cost: number | null;
};
export type JobError = {
    type: string;
    title: string;
    detail: string;
    retryable: boolean;
};
export type JobState = 'scheduled' | 'queued' | 'running' | 'waiting' | 'retrying' | 'cancelling' | 'completed' | 'failed' | 'cancelled';
export type PartState = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';
export type Part = {
    state: PartState;
    text: string;
    model: string | null;
    attempt: number;
    result: unknown;
    error: JobError | null;
    usage: Usage | null;
    elapsed: number | null;
    first_token: number | null;
    length: number | null;
    sha256: string | null;
};
export type Step = {
    name: string;
    state: string;
    attempt: number;
    started_at: string;
    finished_at: string | null;
};
export type Snapshot = {
    id: string;
    kind: string;
    state: JobState;
    run: number;
    seq: number;
    cursor: string;
    attempt: number;
    max_attempts: number;
    priority: number;
    subject: string | null;
    metadata: Record<string, string>;
    created_at: string;
    run_at: string | null;
    started_at: string | null;
    finished_at: string | null;
    next_attempt_at: string | null;
    expires_at: string | null;
    elapsed: number | null;
    progress: Record<string, unknown>;
    parts: Record<string, Part>;
    steps: Step[];
    result: unknown;
    error: JobError | null;
    links: Record<string, string>;
};
export type Update = {
    job: string;
    id: string;
    seq: number;
    event: string;
    data: any;
};
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'closed';
export type Token = string | (() => string | Promise<string>);
export type ClientOptions = {
    baseUrl?: string;
    token?: Token;
    fetch?: typeof globalThis.fetch;
    EventSource?: EventSourceMaker | null;
    WebSocket?: WebSocketMaker | null;
    share?: string | boolean;
    memory?: Storage | null;
    pace?: Partial<import('./pace.js').Pace>;
    locks?: LockManager | null;
};
export type EventSourceMaker = new (url: string) => EventSourceLike;
export type EventSourceLike = {
    readonly readyState: number;
    close(): void;
    addEventListener(type: string, listener: (event: any) => void): void;
};
export type WebSocketMaker = new (url: string, protocol: string) => WebSocketLike;
export type WebSocketLike = {
    close(code?: number): void;
    send(text: string): void;
    addEventListener(type: string, listener: (event: any) => void): void;
};
export type SubmitOptions = {
    idempotency_key?: string;
    priority?: number;
    run_at?: string;
    delay?: number;
    subject?: string;
    metadata?: Record<string, string>;
    webhook?: {
        url: string;
    };
};
export type WatchOptions = {
    after?: Snapshot | null;
    token?: Token;
    signal?: AbortSignal;
    timeout?: number;
};
export type WatchEvents = {
    update: [update: Update, snapshot: Snapshot];
    snapshot: [snapshot: Snapshot];
    connection: [connection: Connection];
    end: [snapshot: Snapshot];
    error: [error: Error];
};
export type Watch = {
    readonly snapshot: Snapshot | null;
    readonly connection: Connection;
    readonly verified: boolean | null;
    on<Type extends keyof WatchEvents>(type: Type, listener: (...told: WatchEvents[Type]) => void): () => void;
    close(): void;
} & AsyncIterableIterator<Snapshot, undefined>;
export type Client = {
    submit(kind: string, input: object, options?: SubmitOptions): Promise<Snapshot & {
        stream_token: string;
    }>;
    get(job: string, options?: {
        signal?: AbortSignal;
    }): Promise<Snapshot>;
    watch(job: string, options?: WatchOptions): Watch;
    cancel(job: string): Promise<Snapshot>;
    retry(job: string, options?: {
        parts?: string[];
        from?: 'start';
    }): Promise<Snapshot>;
    unfinished(): string[];
    close(): void;
};
/**
 * @typedef {{input_tokens: number, output_tokens: number, cost: number | null}} Usage
 * @typedef {{type: string, title: string, detail: string, retryable: boolean}} JobError
 * @typedef {'scheduled' | 'queued' | 'running' | 'waiting' | 'retrying' | 'cancelling' | 'completed' | 'failed'
 *   | 'cancelled'} JobState
 * @typedef {'pending' | 'running' | 'completed' | 'failed' | 'cancelled'} PartState
 * @typedef {{state: PartState, text: string, model: string | null, attempt: number, result: unknown,
 *   error: JobError | null, usage: Usage | null, elapsed: number | null, first_token: number | null,
 *   length: number | null, sha256: string | null}} Part
 * @typedef {{name: string, state: string, attempt: number, started_at: string, finished_at: string | null}} Step
 */
/**
 * A whole job as of one update. `cursor` is where to go on from: opaque, and kept as it is.
 *
 * @typedef {{id: string, kind: string, state: JobState, run: number, seq: number, cursor: string, attempt: number,
 *   max_attempts: number, priority: number, subject: string | null, metadata: Record<string, string>,
 *   created_at: string, run_at: string | null, started_at: string | null, finished_at: string | null,
 *   next_attempt_at: string | null, expires_at: string | null, elapsed: number | null,
 *   progress: Record<string, unknown>, parts: Record<string, Part>, steps: Step[], result: unknown,
 *   error: JobError | null, links: Record<string, string>}} Snapshot
 */
/**
 * One update as it came; `id` is empty for what isn't part of the log (`ping`, `bye`, `problem`).
 *
 * @typedef {{job: string, id: string, seq: number, event: string, data: any}} Update
 */
/**
 * How the updates come just now. `closed`: the job has ended, or nobody watches any more.
 *
 * @typedef {'connecting' | 'live' | 'reconnecting' | 'polling' | 'closed'} Connection
 */
/**
 * A token, or whoever makes a fresh one: asked when one is needed first, and again when the last one has expired.
 *
 * @typedef {string | (() => string | Promise<string>)} Token
 */
/**
 * `EventSource` and `WebSocket` may be injected where there are none, or null where they shall not be used. `share`
 * names those who share one connection in a browser (all clients of a service, unless named), false: none does.
 * `memory` is where unfinished jobs are remembered over a reload, null: nowhere.
 *
 * @typedef {{baseUrl?: string, token?: Token, fetch?: typeof globalThis.fetch, EventSource?: EventSourceMaker | null,
 *   WebSocket?: WebSocketMaker | null, share?: string | boolean, memory?: Storage | null,
 *   pace?: Partial<import('./pace.js').Pace>, locks?: LockManager | null}} ClientOptions
 *
 * @typedef {new (url: string) => EventSourceLike} EventSourceMaker
 * @typedef {{readonly readyState: number, close(): void,
 *   addEventListener(type: string, listener: (event: any) => void): void}} EventSourceLike
 * @typedef {new (url: string, protocol: string) => WebSocketLike} WebSocketMaker
 * @typedef {{close(code?: number): void, send(text: string): void,
 *   addEventListener(type: string, listener: (event: any) => void): void}} WebSocketLike
 */
/**
 * The further fields of a submission; without an `idempotency_key` of one's own each submission is another job.
 *
 * @typedef {{idempotency_key?: string, priority?: number, run_at?: string, delay?: number, subject?: string,
 *   metadata?: Record<string, string>, webhook?: {url: string}}} SubmitOptions
 */
/**
 * `after` goes on from a snapshot at hand. `token` is the job's own, where the client's doesn't read it: a stream
 * token renews itself. `timeout` is how many seconds the job may take to end.
 *
 * @typedef {{after?: Snapshot | null, token?: Token, signal?: AbortSignal, timeout?: number}} WatchOptions
 */
/**
 * @typedef {{update: [update: Update, snapshot: Snapshot], snapshot: [snapshot: Snapshot],
 *   connection: [connection: Connection], end: [snapshot: Snapshot], error: [error: Error]}} WatchEvents
 */
/**
 * A job being watched. It yields the snapshot after each update until the job has ended, and throws where that can't
 * be had: an ApiError, or TimedOut. Whoever reads slowly is given the newest at last, and misses nothing of it.
 *
 * `verified`: whether the texts of all parts that ended are proven whole by their length and SHA-256; null as long as
 * there is nothing to prove. `update` tells of every update as it comes, `ping` and its like included.
 *
 * @typedef {{readonly snapshot: Snapshot | null, readonly connection: Connection, readonly verified: boolean | null,
 *   on<Type extends keyof WatchEvents>(type: Type, listener: (...told: WatchEvents[Type]) => void): () => void,
 *   close(): void} & AsyncIterableIterator<Snapshot, undefined>} Watch
 */
/**
 * @typedef {{
 *   submit(kind: string, input: object, options?: SubmitOptions): Promise<Snapshot & {stream_token: string}>,
 *   get(job: string, options?: {signal?: AbortSignal}): Promise<Snapshot>,
 *   watch(job: string, options?: WatchOptions): Watch,
 *   cancel(job: string): Promise<Snapshot>,
 *   retry(job: string, options?: {parts?: string[], from?: 'start'}): Promise<Snapshot>,
 *   unfinished(): string[],
 *   close(): void,
 * }} Client
 */
export {};
