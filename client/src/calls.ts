import { CallQueue, type CallOptions } from './callqueue.js';
import { connect as connectClient, type Client, type Options } from './core.js';

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
export function withCalls<C extends Client>(client: C): C & Calls {
  const queue = new CallQueue(client);
  const call: Calls['call'] = (method, params, options = {}) => queue.call(method, params, options) as Promise<any>;
  return Object.assign(client, { call });
}

/** Creates a client with calls and connects it. */
export function connect(url?: string | URL, options?: Options): Client & Calls {
  return withCalls(connectClient(url, options));
}
