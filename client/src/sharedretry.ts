import { backoff, passes } from './retry.js';
import type { Envelope } from './wire.js';

/** The shortest first wait, and the longest wait, in milliseconds. */
const [shortest, longest] = [100, 30_000];

/**
 * Returns how long to wait before a command is sent again, in milliseconds; undefined if its answer is final. The
 * waits grow: the server closes a connection that keeps sending too fast.
 */
export function retryWait({ type, payload: { code, retryAfter } }: Envelope, attempt: number): number | undefined {
  if (type !== 'error' || !passes(code!)) return undefined;
  const growing = Math.min(longest, shortest * 2 ** attempt);
  return Math.max(growing, retryAfter ?? backoff(attempt, 1000, longest));
}
