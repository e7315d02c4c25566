import type { ErrorCode } from './codes.js';

/** Errors of the client itself. */
export type LocalErrorCode =
  /** The client is closed, by the page or finally by the server. */
  | 'CLOSED'
  /** Too many commands wait to be sent. */
  | 'BUFFER_FULL'
  /** The browser says that there is no network. */
  | 'OFFLINE'
  /** The page is in the browser's back/forward cache. */
  | 'SUSPENDED'
  /** The token function failed. */
  | 'TOKEN_FAILED'
  /** The connection ended before the answer to a call. The app may have received the call, or not. */
  | 'CONNECTION_LOST'
  /** The transport in use cannot do this. */
  | 'UNSUPPORTED';

/**
 * An error. Programs use `code`: a word for the error of a command, a number (see
 * `CloseCode`) for the end of a connection. `message` is for people and may change.
 * An app may reject with words of its own.
 */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError';
  readonly code: ErrorCode | LocalErrorCode | (string & {}) | number;
  /** How long to wait before another try, in milliseconds; undefined if that is not known. */
  readonly retryAfter: number | undefined;

  constructor(code: RealtimeError['code'], message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Returns the text of anything that was thrown. */
export function textOf(error: unknown): string {
  return String((error as Error)?.message ?? error);
}
