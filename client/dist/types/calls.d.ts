import { type CallOptions } from './callqueue.js';
import { type Client, type Options } from './core.js';
export * from './index.js';
export type { CallOptions } from './callqueue.js';
/** What {@link withCalls} adds to a client. */
export interface Calls {
    /**
     * Calls the app, and resolves to its answer. The call waits for a connection, and is sent at most once.
     * Rejects with a RealtimeError. After `CONNECTION_LOST` and 408 the app may have received the call, or not.
     */
    call<T = any>(method: string, params?: unknown, options?: CallOptions): Promise<T>;
}
/** Adds `call` to a client, for example one with documents, and returns that client. */
export declare function withCalls<C extends Client>(client: C): C & Calls;
/** Creates a client with calls and connects it. */
export declare function connect(url?: string | URL, options?: Options): Client & Calls;
