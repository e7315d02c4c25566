import { type Json, type Path } from './tree.js';
/**
 * One step of a change. Members of objects and elements of arrays are `set`, members
 * are `unset`; elements are `insert`ed and `remove`d, which moves those behind them;
 * `increment` adds a number to one, where a missing member counts as 0; `test` fails the change unless the value is there.
 */
export interface Operation {
    readonly kind: 'set' | 'unset' | 'insert' | 'remove' | 'increment' | 'test';
    readonly path: Path;
    readonly value?: Json | undefined;
    /** What was there before; undefined: nothing. Not for `insert`, `increment` and `test`. */
    readonly was?: Json | undefined;
    /** An `insert` at the end, wherever that is. */
    readonly end?: boolean;
    /**
     * How many segments of the path have to be there: what is missing behind them is
     * made.
     */
    readonly from?: number;
    /** A `remove` that nobody made: the array began anew. */
    readonly gone?: boolean;
    /** Only the result of what others did is known: they may have incremented a number. */
    readonly guessed?: boolean;
}
/** Thrown when an operation does not fit. */
export declare class Misfit extends Error {
}
/** Whether an operation leaves all elements of arrays where they are. */
export declare function settles({ kind }: Operation): boolean;
/** Does an operation: a new value, which shares with the old one all that stays. */
export declare function apply(root: Json, op: Operation): Json;
/** What takes operations back, where they have just been made. */
export declare function inverse(ops: readonly Operation[]): Operation[];
/** Marks what others did as known by its result only. */
export declare function guess(ops: readonly Operation[]): Operation[];
export declare function applyAll(root: Json, ops: readonly Operation[]): Json;
/**
 * The operations that make `now` of `old`, as few and as deep down as possible.
 * Elements of arrays are the same if they have the same `id`. Without one, those in
 * the same place are taken to be the same; not so with `wary`, when nobody knows what
 * happened in between. With `whole` an array is replaced.
 */
export declare function difference(old: Json | undefined, now: Json | undefined, path?: Path, wary?: boolean, whole?: boolean): Operation[];
/** The operation that makes `now` of `old` as a whole. */
export declare function replacement(old: Json | undefined, now: Json, path: Path): Operation[];
/** A path as a JSON pointer. */
export declare function pointer(path: Path): string;
