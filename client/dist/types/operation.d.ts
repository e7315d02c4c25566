import { type Json, type Path } from './tree.js';
/**
 * One step of a change. `set` sets a member of an object or an element of an array. `unset`
 * deletes a member. `insert` and `remove` add and remove an element, which moves the elements
 * behind it. `increment` adds a number; a missing member counts as 0. `test` fails the change
 * unless the value is there.
 */
export interface Operation {
    readonly kind: 'set' | 'unset' | 'insert' | 'remove' | 'increment' | 'test';
    readonly path: Path;
    readonly value?: Json | undefined;
    /** The value before; undefined if there was none. Not for `insert`, `increment` and `test`. */
    readonly was?: Json | undefined;
    /** An `insert` at the end of the array. */
    readonly end?: boolean;
    /**
     * How many segments of the path must exist. Missing containers behind them are
     * created.
     */
    readonly from?: number;
    /** A `remove` that no client made: the array was created again. */
    readonly gone?: boolean;
    /** Only the result of the other clients' changes is known. They may have incremented a number. */
    readonly guessed?: boolean;
}
/** Thrown when an operation does not fit. */
export declare class Misfit extends Error {
}
/** Reports whether an operation leaves all elements of arrays at their places. */
export declare function settles({ kind }: Operation): boolean;
/** Applies an operation and returns the new value. It shares all unchanged parts with the old one. */
export declare function apply(root: Json, op: Operation): Json;
/** Returns the operations that undo the given ones, right after them. */
export declare function inverse(ops: readonly Operation[]): Operation[];
/** Marks others' operations as known only by their result. */
export declare function guess(ops: readonly Operation[]): Operation[];
export declare function applyAll(root: Json, ops: readonly Operation[]): Json;
/**
 * Returns the operations that turn `old` into `now`, as few and as deep as possible. Elements of
 * arrays are the same if they have the same `id`. Without an `id`, elements at the same place
 * count as the same, except with `wary`: then it is not known what happened in between. With
 * `whole` an array is replaced.
 */
export declare function difference(old: Json | undefined, now: Json | undefined, path?: Path, wary?: boolean, whole?: boolean): Operation[];
/** Returns the operation that replaces `old` by `now` as a whole. */
export declare function replacement(old: Json | undefined, now: Json, path: Path): Operation[];
/** Returns a path as a JSON pointer. */
export declare function pointer(path: Path): string;
