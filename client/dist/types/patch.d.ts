import { type Operation } from './operation.js';
import type { Json } from './tree.js';
/** A step of a JSON patch (RFC 6902). `increment` is an extension: it adds `value` to a number. */
export interface PatchOperation {
    readonly op: 'add' | 'remove' | 'replace' | 'test' | 'increment';
    /** A JSON pointer. `-` behind an array is the place after its last element. */
    readonly path: string;
    readonly value?: unknown;
}
/** An object is a merge patch (RFC 7396): null deletes. An array is a JSON patch (RFC 6902). */
export type Patch = {
    readonly [name: string]: unknown;
} | readonly PatchOperation[];
/** The effect of a patch on a value. */
export interface Effect {
    readonly value: Json;
    readonly ops: readonly Operation[];
}
/** Throws {@link Misfit} if the patch does not fit. */
export declare function resolve(root: Json, patch: Patch): Effect;
export declare function segments(path: string): string[];
/**
 * Returns the patch for the operations: a merge patch if possible, because then others may
 * fill the same object at the same time. Undefined if the operations change nothing.
 */
export declare function encode(root: Json, ops: readonly Operation[]): Patch | undefined;
/** Returns the operations as a JSON patch. */
export declare function asSteps(root: Json, ops: readonly Operation[]): PatchOperation[];
