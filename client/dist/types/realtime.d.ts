import { Emitter } from './emitter.js';
import { RealtimeError } from './error.js';
import { type Ack, type HistoryOptions, type HistoryPage, type PublishOptions } from './message.js';
import type { Options } from './options.js';
import type { State, Status, TransportName } from './state.js';
import { Subscription, type SubscribeOptions } from './subscription.js';
/** The events of a client. */
export interface RealtimeEvents {
    /** The state of the connection, or a detail of it, has changed. */
    state: Status;
    /** An error that belongs to no promise and ends nothing. */
    error: RealtimeError;
}
/**
 * A client: one connection, and the subscriptions of the page. It reconnects by itself (see
 * `Connection` for its states). Subscriptions and unsent messages survive.
 */
export declare class Realtime extends Emitter<RealtimeEvents> {
    #private;
    /** Creates a client; `connect` connects it. `url` is the path or address of the endpoint. */
    constructor(url?: string | URL, options?: Options);
    get state(): State;
    /** The transport in use, or the one being tried. */
    get transport(): TransportName | undefined;
    /** The user that the server knows; undefined if the user is anonymous or not known yet. */
    get user(): string | undefined;
    /** The id of the connection. Over a WebSocket it is also the sender of an anonymous client's messages. */
    get connection(): string | undefined;
    /**
     * Resolves when the client is open; at once if it is. Rejects with a {@link RealtimeError} when it closes.
     * A client that is not connected waits for `connect`.
     */
    ready(): Promise<void>;
    /** Connects. Also reopens a closed client. Does nothing on a server without a full address. */
    connect(): this;
    /** Closes the client. Rejects what waits to be sent. Subscriptions wait for `connect`. */
    close(): void;
    /**
     * Subscribes to a channel. A second call returns the same subscription, and ignores its options. The subscription
     * ends when `unsubscribe` was called as often as `subscribe`. `T` is the type of contents. `E` has the types of
     * contents by the names of events.
     */
    subscribe<T = unknown, E extends object = Record<string, T>>(channel: string, options?: SubscribeOptions): Subscription<T, E>;
    /** Publishes to a channel, with or without a subscription. Waits for a connection. Rejects with a {@link RealtimeError}. */
    publish(channel: string, content: unknown, { timeout, signal, ...options }?: PublishOptions): Promise<Ack>;
    /** Asks for a channel's kept messages. Rejects with a {@link RealtimeError}. */
    history<T = unknown>(channel: string, { since, limit, ...limits }?: HistoryOptions): Promise<HistoryPage<T>>;
}
/** Creates a client and connects it. */
export declare function connect(url?: string | URL, options?: Options): Realtime;
