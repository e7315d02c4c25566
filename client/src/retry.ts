import { finalCloses, temporaryErrors } from './codes.js';

/**
 * Returns the wait before a try, in milliseconds ("full jitter"): a random time up to a limit
 * that doubles with every failed attempt. So clients that lost their server at the same
 * moment reconnect evenly spread. With a fixed part of the limit they would be spread less.
 */
export function backoff(attempt: number, min: number, max: number): number {
  return Math.random() * Math.min(max, min * 2 ** attempt);
}

/** Reports whether a client reconnects by itself after this close code. */
export function mayReconnect(code: number): boolean {
  return !finalCloses.includes(code) && !(code >= 4000 && code <= 4499);
}

/** Reports whether a command may succeed later after this error. */
export function passes(code: string | number): boolean {
  return temporaryErrors.includes(code as string);
}

/**
 * Returns the shortest wait after a close code; undefined if there is none. When a node ends,
 * all of its clients reconnect at once. An overloaded node needs them to wait.
 */
export function closeDelay(code: number): number | undefined {
  if (code === 1013) return 5000 + Math.random() * 25000;
  if (code === 1001 || code === 1012) return Math.random() * 5000;
  return undefined;
}
