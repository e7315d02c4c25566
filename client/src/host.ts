import type { RealtimeError } from './error.js';
import type { Ack, HistoryOptions, HistoryPage, PublishOptions } from './message.js';
import type { State, TransportName } from './state.js';
import type { Subscription } from './subscription.js';
import type { Command } from './wire.js';

/** What a subscription needs of its client, which is a `Realtime`. */
export interface Host {
  readonly state: State;
  readonly transport: TransportName | undefined;
  publish(channel: string, content: unknown, options?: PublishOptions): Promise<Ack>;
  history<T>(channel: string, options?: HistoryOptions): Promise<HistoryPage<T>>;
  /** Queues a command of the current connection and gives its id. By default an error becomes an event. */
  _command(type: string, payload: Command['payload'], fail?: (error: RealtimeError) => void): number;
  /** A name that nothing else of any client has. */
  _key(): string;
  /** The subscription has ended; `said`: the server knows. */
  _ended(subscription: Subscription<never>, said: boolean): void;
}
