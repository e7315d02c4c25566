import type { RealtimeError } from './error.js';

export type TransportName = 'websocket' | 'sse';

/** What a connection is doing; see `Connection`, which is the machine behind it. */
export type State = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** The state of a connection, and what a page may want to show of it. */
export interface Status {
  readonly state: State;
  /** The state before. */
  readonly previous: State;
  /** Why the connection is not open; undefined while nothing went wrong. */
  readonly reason: RealtimeError | undefined;
  /** The transport in use, or being tried. */
  readonly transport: TransportName | undefined;
  /** The time until the next try, in milliseconds; undefined: one is under way, or none is planned. */
  readonly retryIn: number | undefined;
}
