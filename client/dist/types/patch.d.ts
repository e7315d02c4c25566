import { type Operation } from './operation.js';
import type { Json } from './tree.js';
/** A step of a JSON patch (RFC 6902), or `increment`, which adds `value` to a number. */
export interface PatchOperation {
    readonly op: 'add' | 'remove' | 'replace' | 'test' | 'increment';
    /** A JSON pointer; `-` behind an array is the place after its last element. */
    readonly path: string;
    readonly value?: unknown;
}
/** An object is a merge patch (RFC 7396), in which null deletes; an array is a JSON patch (RFC 6902). */
export type Patch = {
    readonly [name: string]: unknown;
} | readonly PatchOperation[];
/** What a patch does to a value. */
export interface Effect {
    readonly value: Json;
    readonly ops: readonly Operation[];
}
/** Throws {@link Misfit} if the patch does not fit. */
export declare function resolve(root: Json, patch: Patch): Effect;
export declare function segments(path: string): string[];
/**
 * The patch that does what the operations do: a merge patch if one can, because
 * others may fill the same object at the same time then. Undefined: nothing is done.
 */
export declare function encode(root: Json, ops: readonly Operation[]): Patch | undefined;
/** The same as a JSON patch. */
export declare function asSteps(root: Json, ops: readonly Operation[]): PatchOperation[];
