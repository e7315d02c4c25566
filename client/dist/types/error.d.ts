import type { ErrorCode } from './codes.js';
/** What can go wrong on this side of the wire. */
export type LocalErrorCode = 
/** The client is closed: by the page, or for good by the server. */
'CLOSED'
/** Too many commands wait to be sent. */
 | 'BUFFER_FULL'
/** The browser says that there is no network. */
 | 'OFFLINE'
/** The page lies in the browser's back/forward cache. */
 | 'SUSPENDED'
/** The token function failed. */
 | 'TOKEN_FAILED'
/** The transport in use cannot do this. */
 | 'UNSUPPORTED';
/**
 * What went wrong. `code` is what programs branch on: a word for the error of a
 * command, a number (see `CloseCode`) for the end of a connection. `message` is
 * for people and may change.
 */
export declare class RealtimeError extends Error {
    readonly name = "RealtimeError";
    readonly code: ErrorCode | LocalErrorCode | number;
    /** How long to wait before another try, in milliseconds; undefined: nothing is known. */
    readonly retryAfter: number | undefined;
    constructor(code: ErrorCode | LocalErrorCode | number, message: string, retryAfter?: number);
}
/** What anything that was thrown says. */
export declare function textOf(error: unknown): string;
