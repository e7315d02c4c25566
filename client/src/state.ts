import type { RealtimeError } from './error.js';

export type TransportName = 'websocket' | 'sse';

/** The state of a connection; `Connection` describes each state. */
export type State = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** The state of a connection, with details for the page. */
export interface Status {
  readonly state: State;
  /** The state before. */
  readonly previous: State;
  /** Why the connection is not open; undefined if nothing failed. */
  readonly reason: RealtimeError | undefined;
  /** The transport in use, or the one being tried. */
  readonly transport: TransportName | undefined;
  /** The time until the next try, in milliseconds; undefined while a try is in progress, or if none is planned. */
  readonly retryIn: number | undefined;
}
