import { finalCloses, temporaryErrors } from './codes.js';

/**
 * The wait before a try, in milliseconds: "full jitter", anything up to a limit
 * that doubles with every failed attempt. Clients that lost their server at the
 * same moment come back evenly spread, which no fixed share of the limit does as
 * well.
 */
export function backoff(attempt: number, min: number, max: number): number {
  return Math.random() * Math.min(max, min * 2 ** attempt);
}

/** Whether a client comes back by itself after a close with this code. */
export function mayReconnect(code: number): boolean {
  return !finalCloses.includes(code) && !(code >= 4000 && code <= 4499);
}

/** Whether the command that was answered with this error may succeed later. */
export function passes(code: string | number): boolean {
  return temporaryErrors.includes(code as string);
}

/**
 * The least wait that a close code asks for; undefined: none. A node that goes
 * takes all its clients with it, one that is overloaded needs them to stay away.
 */
export function closeDelay(code: number): number | undefined {
  if (code === 1013) return 5000 + Math.random() * 25000;
  if (code === 1001 || code === 1012) return Math.random() * 5000;
  return undefined;
}
