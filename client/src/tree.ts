// Immutable JSON values. A changed value shares the unchanged parts with the one before, so
// that a page can compare parts with `===`.

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };
/** The names and indices that lead to a value. */
export type Path = readonly string[];

export function isObject(v: Json | undefined): v is JsonObject {
  return typeof v === 'object' && v !== null && !isArray(v);
}

export const isArray: (v: unknown) => v is readonly Json[] = Array.isArray;

/**
 * Returns the value as JSON would carry it: a copy that may be changed. It replaces half of a
 * surrogate pair, which remains where a text was cut: no other program reads it as text.
 */
export function copy<T>(v: T): T {
  const text = JSON.stringify(v) ?? 'null';
  return JSON.parse(text.replace(/\\(ud...|.)/g, (escape, { length }) => (length > 1 ? '\\ufffd' : escape))) as T;
}

export function freeze<T extends Json | undefined>(v: T): T {
  // A value that is not an object counts as frozen.
  if (!Object.isFrozen(v)) {
    for (const inner of Object.values(v!)) freeze(inner as Json);
    Object.freeze(v);
  }
  return v;
}

/** Returns the index in a segment of a path, at most `top`; undefined if it is none. */
export function indexOf(segment: string, top: number): number | undefined {
  return /^(0|[1-9]\d*)$/.test(segment) && +segment <= top ? +segment : undefined;
}

/** Returns the value one step below; undefined if there is none. */
export function child(v: Json | undefined, segment: string): Json | undefined {
  const names = isArray(v) ? indexOf(segment, v.length - 1) !== undefined : isObject(v) && Object.hasOwn(v, segment);
  return names ? (v as JsonObject)[segment] : undefined;
}

/** Returns the value at a path; undefined if there is none. */
export function at(v: Json | undefined, path: Path): Json | undefined {
  return path.reduce(child, v);
}

export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((v, i) => equal(v, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => equal(a[name], child(b, name)));
}

/** Returns `now`, with each part that equals a part of `before` replaced by that part. */
export function reuse(before: Json | undefined, now: Json): Json {
  if (before === now) return now;
  if (isArray(before) && isArray(now)) {
    const items = now.map((v, i) => reuse(before[i], v));
    return items.length === before.length && items.every((v, i) => v === before[i]) ? before : Object.freeze(items);
  }
  if (!isObject(before) || !isObject(now)) return now;
  const members = Object.entries(now).map(([name, v]) => [name, reuse(child(before, name), v)] as const);
  const same = members.length === Object.keys(before).length && members.every(([name, v]) => v === child(before, name));
  return same ? before : Object.freeze(Object.fromEntries(members));
}
