import { Emitter } from './emitter.js';
import { RealtimeError } from './error.js';
import { type Ack, type HistoryOptions, type HistoryPage, type PublishOptions } from './message.js';
import type { Options } from './options.js';
import type { State, Status, TransportName } from './state.js';
import { Subscription, type SubscribeOptions } from './subscription.js';
/** The events of a client. */
export interface RealtimeEvents {
    /** The state of the connection, or what is known of it, has changed. */
    state: Status;
    /** Something went wrong that belongs to no promise and ends nothing. */
    error: RealtimeError;
}
/**
 * A client: one connection, and the channels the page is subscribed to. It keeps
 * the connection up by itself (see `Connection` for its states); subscriptions,
 * and messages that could not be sent yet, survive.
 */
export declare class Realtime extends Emitter<RealtimeEvents> {
    #private;
    /** Prepares a client; `connect` connects it. `url` is the path or address of the endpoint. */
    constructor(url?: string | URL, options?: Options);
    get state(): State;
    /** The transport in use, or being tried. */
    get transport(): TransportName | undefined;
    /** Who the server takes the page for; undefined: an anonymous visitor, or not known yet. */
    get user(): string | undefined;
    /** The id of the connection; over a WebSocket also the sender of an anonymous client's messages. */
    get connection(): string | undefined;
    /** Connects, also again after the client was closed. */
    connect(): this;
    /** Closes for good. What waits to be sent is rejected; subscriptions wait for `connect`. */
    close(): void;
    /** Subscribes to a channel. There is one subscription for each: a second call gives the same one. */
    subscribe<T = unknown>(channel: string, options?: SubscribeOptions): Subscription<T>;
    /** Publishes to a channel, subscribed or not. Waits for a connection. Rejects with a {@link RealtimeError}. */
    publish(channel: string, content: unknown, { event, to }?: PublishOptions): Promise<Ack>;
    /** Asks for a channel's retained messages. Rejects with a {@link RealtimeError}. */
    history<T = unknown>(channel: string, { since, limit }?: HistoryOptions): Promise<HistoryPage<T>>;
}
/** Makes a client and connects it. */
export declare function connect(url?: string | URL, options?: Options): Realtime;
