import { type Operation } from './operation.js';
import { type Json } from './tree.js';
/**
 * Adds to a number of a draft, in the function that is given to `update`:
 *
 *     board.update((draft) => increment(draft, '/votes/ann'));
 *
 * Increments of several add up, where of two who do `draft.votes.ann++` at once one gets lost or is refused.
 * A member that is missing counts as 0. `path` is a JSON pointer, or the names and indices themselves.
 */
export declare function increment(draft: unknown, path: string | readonly (string | number)[], by?: number): void;
/** What a function does to a draft, in order, and what it gives: increments can not be seen in the result. */
export declare function record(root: Json, recipe: (draft: Json) => unknown): [Operation[], unknown];
