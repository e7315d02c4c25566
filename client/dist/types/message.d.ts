import type { Position } from './position.js';
import type { Payload, WireMessage } from './wire.js';
/**
 * A member of a channel: `user` is all connections of a user, `user` with `connection` is one of
 * them, `connection` alone is an anonymous member.
 */
export interface Address {
    readonly user?: string;
    readonly connection?: string;
}
/** What filters of subscribers look at: at most 16 values. */
export type Tags = Readonly<Record<string, string | number | boolean>>;
/** A message of a channel. */
export interface Message<T = unknown> {
    readonly channel: string;
    readonly content: T;
    /** The app's name for the kind of message. */
    readonly event?: string;
    /** The user, or the connection of an anonymous publisher. Absent if the app published the message. */
    readonly sender?: string;
    /** What the publisher put beside the content. */
    readonly tags?: Tags;
    /** When it was published, in milliseconds of the server's clock. */
    readonly timestamp?: number;
    /** The number of the message, in channels with history. */
    readonly offset?: number;
    readonly anchor?: string;
    /** The one member that the message is for. Absent if it is for the whole channel. */
    readonly to?: Address;
    /** The address for an answer to such a message. Absent if the sender cannot be reached. */
    readonly from?: Address;
}
/** The result of a publish. */
export interface Ack {
    readonly channel: string;
    /** The position of the message, in channels with history. */
    readonly epoch?: string;
    readonly offset?: number;
    readonly anchor?: string;
    /** The message had been published before; this was a repeat. */
    readonly duplicate?: boolean;
    /** The message reached only the clients of one server. */
    readonly degraded?: boolean;
}
/** How long a request may take. */
export interface Limits {
    /**
     * The longest time until the answer, in milliseconds. It includes the wait for a connection. Then the
     * promise rejects with the code 408. Default: no limit.
     */
    timeout?: number;
    /**
     * Gives the request up: the promise rejects with the signal's reason. A request that waits is not sent.
     * A request that was sent may have reached the server.
     */
    signal?: AbortSignal;
}
export interface PublishOptions extends Limits {
    /** The app's name for the kind of message. */
    event?: string;
    /** What filters of subscribers look at. */
    tags?: Tags;
    /** Sends the message to one member only. Rejects with NOT_PRESENT if the member is not in the channel. */
    to?: Address;
    /**
     * For content that is soon out of date, such as the place of a pointer. The client sends the message at once,
     * or drops it if there is no connection. The history does not keep it. The promise resolves when the message is
     * sent. Errors are `error` events.
     */
    volatile?: boolean;
}
export interface HistoryOptions extends Limits {
    /** Asks for the messages after a position, oldest first. Default: the newest ones. */
    since?: Position;
    /** The greatest number of messages, at most 1,000. Default: 100. */
    limit?: number;
}
/** A page of history. */
export interface HistoryPage<T = unknown> {
    /** In order, without holes. */
    readonly messages: readonly Message<T>[];
    /** The newest position of the channel; undefined when it has no history. */
    readonly position: Position | undefined;
    /** Messages after `since` are lost; `messages` are the oldest that are left. */
    readonly lost: boolean;
    /** `limit` cut the messages off. */
    readonly more: boolean;
}
/** Messages may have been lost. The page should load again what it builds from messages. */
export interface Gap {
    readonly channel: string;
    /** Delivery goes on after this position; undefined in channels without history. */
    readonly position: Position | undefined;
}
/** Converts a message from the wire. It came alone, or in a list of a channel. */
export declare function messageOf<T>(channel: string, wire: WireMessage | Payload, timestamp?: number): Message<T>;
