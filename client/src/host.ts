import type { RealtimeError } from './error.js';
import type { Ack, HistoryOptions, HistoryPage, PublishOptions } from './message.js';
import type { State, TransportName } from './state.js';
import type { Subscription } from './subscription.js';
import type { Command } from './wire.js';

/** What a subscription needs from its client, a `Realtime`. */
export interface Host {
  readonly state: State;
  readonly transport: TransportName | undefined;
  publish(channel: string, content: unknown, options?: PublishOptions): Promise<Ack>;
  history<T>(channel: string, options?: HistoryOptions): Promise<HistoryPage<T>>;
  /** Queues a command for the current connection and returns its id. Without `fail`, an error becomes an event. */
  _command(type: string, payload: Command['payload'], fail?: (error: RealtimeError) => void): number;
  /** Returns a key that no client has used. */
  _key(): string;
  /** Handles the end of a subscription. `said`: the server knows that it has ended. */
  _ended(subscription: Subscription<any>, said: boolean): void;
}
