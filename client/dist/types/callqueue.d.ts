import { type Client } from './core.js';
/** Options of a call. */
export interface CallOptions {
    /** How long to wait for the answer, in milliseconds. It includes the wait for a connection. Default: the client's `timeout`. */
    timeout?: number;
    /** Gives the call up: the promise rejects with the signal's reason. */
    signal?: AbortSignal;
}
/**
 * The calls of a client. A call waits here for a connection, and is sent at most once. If the connection ends
 * before the answer, the call is rejected: the client cannot know whether the app has received it.
 */
export declare class CallQueue {
    #private;
    constructor(client: Client);
    call(method: string, params: unknown, { timeout, signal }: CallOptions): Promise<unknown>;
}
