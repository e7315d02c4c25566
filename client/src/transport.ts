import { RealtimeError } from './error.js';
import type { TransportName } from './state.js';
import type { Command, Envelope } from './wire.js';

/** How a transport ended. */
export interface Ending {
  readonly error: RealtimeError;
  /** Whether to come back. */
  readonly retry: boolean;
  /** The least wait that the server asked for, in milliseconds. */
  readonly after?: number | undefined;
}

/** What a transport tells its owner. Nothing is called before the constructor has returned, or after `close`. */
export interface Listener {
  frame(envelope: Envelope): void;
  /** A sign of life that is no frame. */
  heard(): void;
  /** The last call. */
  end(ending: Ending): void;
}

/**
 * One connection to the server. Making one opens it; the first frame is
 * `connected`. Both transports speak in the envelopes of the protocol, so that
 * nothing above them knows which one it has.
 */
export interface Transport {
  readonly name: TransportName;
  /** Whether a living server is always heard from; if not, silence proves nothing. */
  readonly audible: boolean;
  send(command: Command): void;
  /** Ends it without another call of the listener. `goodbye`: for good, not to come back. */
  close(goodbye?: boolean): void;
}

/** The end of a connection that broke. */
export function lost(message: string, after?: number): Ending {
  return { error: new RealtimeError(1006, message), retry: true, after };
}
