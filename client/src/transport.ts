import { RealtimeError } from './error.js';
import type { TransportName } from './state.js';
import type { Command, Envelope } from './wire.js';

/** How a transport ended. */
export interface Ending {
  readonly error: RealtimeError;
  /** Whether to connect again. */
  readonly retry: boolean;
  /** The least wait that the server asked for, in milliseconds. */
  readonly after?: number | undefined;
}

/** The events of a transport. It calls nothing before the constructor has returned, or after `close`. */
export interface Listener {
  frame(envelope: Envelope): void;
  /** A sign of life of the server that is not a frame. */
  heard(): void;
  /** The last call. */
  end(ending: Ending): void;
}

/**
 * One connection to the server. The constructor opens it; the first frame is `connected`.
 * Both transports use the envelopes of the protocol, so the code above does not know which
 * one it has.
 */
export interface Transport {
  readonly name: TransportName;
  /** True if the transport shows every heartbeat of the server. Otherwise silence proves nothing. */
  readonly audible: boolean;
  send(command: Command): void;
  /** Ends it without another call of the listener. `goodbye`: the client will not connect again. */
  close(goodbye?: boolean): void;
}

/** Returns the end of a broken connection. */
export function lost(message: string, after?: number): Ending {
  return { error: new RealtimeError(1006, message), retry: true, after };
}
