export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = {
    readonly [name: string]: Json;
};
/** The names and indices that lead to a value. */
export type Path = readonly string[];
export declare function isObject(v: Json | undefined): v is JsonObject;
export declare const isArray: (v: unknown) => v is readonly Json[];
/**
 * Returns the value as JSON would carry it: a copy that may be changed. It replaces half of a
 * surrogate pair, which remains where a text was cut: no other program reads it as text.
 */
export declare function copy<T>(v: T): T;
export declare function freeze<T extends Json | undefined>(v: T): T;
/** Returns the index in a segment of a path, at most `top`; undefined if it is none. */
export declare function indexOf(segment: string, top: number): number | undefined;
/** Returns the value one step below; undefined if there is none. */
export declare function child(v: Json | undefined, segment: string): Json | undefined;
/** Returns the value at a path; undefined if there is none. */
export declare function at(v: Json | undefined, path: Path): Json | undefined;
export declare function equal(a: Json | undefined, b: Json | undefined): boolean;
/** Returns `now`, with each part that equals a part of `before` replaced by that part. */
export declare function reuse(before: Json | undefined, now: Json): Json;
