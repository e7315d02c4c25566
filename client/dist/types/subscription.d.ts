import { Emitter } from './emitter.js';
import type { RealtimeError } from './error.js';
import { type Ack, type Gap, type HistoryOptions, type HistoryPage, type Message, type PublishOptions } from './message.js';
import { type Position } from './position.js';
import { Presence, type Appearance } from './presence.js';
export interface SubscribeOptions extends Appearance {
    /** How many of the newest messages to begin with, at most 1,000. Default: 0. */
    history?: number;
    /** Where to go on, for instance the `position` of an earlier visit. Default: with what comes next. */
    recover?: Position;
}
export type SubscriptionState = 'subscribing' | 'subscribed' | 'unsubscribed';
/** The events of a subscription. */
export interface SubscriptionEvents<T> {
    /** Each message once, in order. */
    message: Message<T>;
    /** Messages may have been lost. */
    gap: Gap;
    /** `error` says why a subscription ended that the page did not end. */
    state: {
        readonly state: SubscriptionState;
        readonly error: RealtimeError | undefined;
    };
}
/**
 * A channel the page listens to. It outlives connections: on each new one it is
 * made again and recovers what was missed, or says `gap`. States:
 *
 * - `subscribing`: waits for a connection, or for the server's answer.
 * - `subscribed`: messages flow.
 * - `unsubscribed`: ended by the page, by the server, or because the client is
 *   closed; only the latter ends when the client connects again.
 */
export declare class Subscription<T = unknown> extends Emitter<SubscriptionEvents<T>> implements AsyncIterable<Message<T>> {
    #private;
    readonly channel: string;
    /** Who is in the channel. */
    readonly presence: Presence;
    get state(): SubscriptionState;
    /** Where delivery has come to; undefined in channels without history. Keep it to recover after a reload. */
    get position(): Position | undefined;
    /** Publishes to the channel; waits for a connection if there is none. Rejects with a {@link RealtimeError}. */
    publish(content: unknown, options?: PublishOptions): Promise<Ack>;
    /** Asks for retained messages. Rejects with a {@link RealtimeError}. */
    history(options?: HistoryOptions): Promise<HistoryPage<T>>;
    /** Ends the subscription; its listeners hear nothing more, but for the change of state. */
    unsubscribe(): void;
    /** The messages, until the subscription ends. Those that come while one is handled wait in memory. */
    [Symbol.asyncIterator](): AsyncGenerator<Message<T>, void, void>;
}
