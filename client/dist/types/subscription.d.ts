import { Emitter } from './emitter.js';
import type { RealtimeError } from './error.js';
import { type Ack, type Gap, type HistoryOptions, type HistoryPage, type Message, type PublishOptions } from './message.js';
import { type Position } from './position.js';
import { Presence, type Appearance } from './presence.js';
export interface SubscribeOptions extends Appearance {
    /** How many of the newest messages to start with, at most 1,000. Default: 0. */
    history?: number;
    /** The position to continue from, for example that of an earlier visit. Default: only new messages. */
    recover?: Position;
    /**
     * Which messages to get: an expression in CEL over `tags`, `event`, `sender` and `content`. It
     * needs WebSocket. Default: all messages.
     */
    filter?: string;
}
export type SubscriptionState = 'subscribing' | 'subscribed' | 'unsubscribed';
/** The events of messages that have a name, with the types of their contents: `event:typing` for the name `typing`. */
export type Named<E extends object> = {
    readonly [K in keyof E & string as `event:${K}`]: Message<E[K]>;
};
/** The events of a subscription. */
export interface SubscriptionEvents<T> {
    /** Each message once, in order. */
    message: Message<T>;
    /** Messages may have been lost. */
    gap: Gap;
    /** `error` says why the subscription ended, if the page did not end it. */
    state: {
        readonly state: SubscriptionState;
        readonly error: RealtimeError | undefined;
    };
}
/**
 * A channel that the page listens to. It outlives connections: on each new one the client
 * subscribes again and recovers missed messages, or there is a `gap`. States:
 *
 * - `subscribing`: waits for a connection, or for the server's answer.
 * - `subscribed`: messages flow.
 * - `unsubscribed`: the page or the server ended it, or the client is closed. After a close it
 *   continues when the client connects again.
 */
export declare class Subscription<T = unknown, E extends object = Record<string, T>> extends Emitter<SubscriptionEvents<T> & Named<E>> implements AsyncIterable<Message<T>> {
    #private;
    readonly channel: string;
    /** The members of the channel. */
    readonly presence: Presence;
    get state(): SubscriptionState;
    /** The position of the last delivered message; undefined in channels without history. Keep it to recover after a reload. */
    get position(): Position | undefined;
    /**
     * Resolves when messages flow; at once if they do. Rejects with a {@link RealtimeError} when the subscription
     * ends, or if it has ended.
     */
    ready(): Promise<void>;
    /** Publishes to the channel. Waits for a connection if there is none. Rejects with a {@link RealtimeError}. */
    publish(content: unknown, options?: PublishOptions): Promise<Ack>;
    /** Asks for kept messages. Rejects with a {@link RealtimeError}. */
    history(options?: HistoryOptions): Promise<HistoryPage<T>>;
    /**
     * Ends the subscription when it was called as often as `subscribe`. Listeners get one more event, the change of
     * state. A part of the page that no longer needs the channel must remove its own listeners.
     */
    unsubscribe(): void;
    /** Returns the messages until the subscription ends. Messages that arrive while one is handled wait in memory. */
    [Symbol.asyncIterator](): AsyncGenerator<Message<T>, void, void>;
}
