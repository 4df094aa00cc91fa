/** What an update does to a snapshot, and how to prove that nothing is missing: pure functions. */
export type Snapshot = import('./model.js').Snapshot;
export type Part = import('./model.js').Part;
export type Step = import('./model.js').Step;
/**
 * The snapshot that polling would have returned after this update; of an update type that it doesn't know only the
 * place is taken over.
 *
 * Nothing is changed in place, so parts that an update doesn't touch stay the same objects.
 *
 * @param {Snapshot | null} snapshot null before the first `snapshot` update
 * @param {string} event
 * @param {any} data
 * @param {{id: string, seq: number}} [place] where it leads to; none: seq and cursor stay
 * @returns {Snapshot} null as long as there was no `snapshot` update
 */
export declare function fold(snapshot: Snapshot | null, event: string, data: any, place?: {
    id: string;
    seq: number;
}): Snapshot;
/**
 * Whether an update goes on exactly where the snapshot stands; false: something between them is missing.
 *
 * @param {Snapshot | null} snapshot
 * @param {{event: string, data: any}} update
 * @returns {boolean}
 */
export declare function follows(snapshot: Snapshot | null, { event, data }: {
    event: string;
    data: any;
}): boolean;
/**
 * For each part that carries its length and SHA-256, whether its text has them; parts that didn't end by themselves
 * carry none.
 *
 * @param {Snapshot} snapshot
 * @returns {Record<string, boolean>}
 */
export declare function verify(snapshot: Snapshot): Record<string, boolean>;
/** @param {Snapshot | null} snapshot @returns {boolean} */
export declare function hasEnded(snapshot: Snapshot | null): boolean;
