import { RealtimeError } from './core.js';

/** Returns the error of an answer over HTTP. Without a code it is not from the server, but from a proxy. */
export function problem(status: number, { code, detail, title, retryAfter }: Record<string, any>): RealtimeError {
  return new RealtimeError(typeof code === 'string' ? code : status, String(detail ?? title ?? `HTTP status ${status}`), retryAfter);
}
