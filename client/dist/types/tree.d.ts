export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = {
    readonly [name: string]: Json;
};
/** The names and indices that lead to a value. */
export type Path = readonly string[];
export declare function isObject(v: Json | undefined): v is JsonObject;
export declare const isArray: (v: unknown) => v is readonly Json[];
/**
 * The value as JSON would carry it: a copy that may be changed. Half of a surrogate pair,
 * which is left where a text was cut, is no text for anybody else.
 */
export declare function copy<T>(v: T): T;
export declare function freeze<T extends Json | undefined>(v: T): T;
/** The index that a segment of a path names, at most `top`; undefined: it names none. */
export declare function indexOf(segment: string, top: number): number | undefined;
/** The value one step below; undefined: there is none. */
export declare function child(v: Json | undefined, segment: string): Json | undefined;
/** The value at a path; undefined: there is none. */
export declare function at(v: Json | undefined, path: Path): Json | undefined;
export declare function equal(a: Json | undefined, b: Json | undefined): boolean;
/** `now`, with everything in it that equals a part of `before` replaced by that part. */
export declare function reuse(before: Json | undefined, now: Json): Json;
