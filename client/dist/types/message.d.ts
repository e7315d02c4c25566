import type { Position } from './position.js';
import type { Payload, WireMessage } from './wire.js';
/**
 * A member of a channel: a user, with `connection` just that connection of the user, or
 * `connection` alone for somebody anonymous.
 */
export interface Address {
    readonly user?: string;
    readonly connection?: string;
}
/** A message of a channel. */
export interface Message<T = unknown> {
    readonly channel: string;
    readonly content: T;
    /** The application's name for the kind of message. */
    readonly event?: string;
    /** The user, or the connection of an anonymous publisher; absent when the app published it. */
    readonly sender?: string;
    /** When it was published, in milliseconds of the server's clock. */
    readonly timestamp?: number;
    /** Its number, in channels with history. */
    readonly offset?: number;
    readonly anchor?: string;
    /** For whom it is, when it is not for everybody. */
    readonly to?: Address;
    /** Where an answer to such a message reaches its sender; absent when it does not. */
    readonly from?: Address;
}
/** What became of a published message. */
export interface Ack {
    readonly channel: string;
    /** Its place, in channels with history. */
    readonly epoch?: string;
    readonly offset?: number;
    readonly anchor?: string;
    /** It had been published before; this was a repetition. */
    readonly duplicate?: boolean;
    /** Only clients of one server could be reached. */
    readonly degraded?: boolean;
}
export interface PublishOptions {
    /** The application's name for the kind of message. */
    event?: string;
    /** Sends it to one member alone, who has to be there: else it is rejected with NOT_PRESENT. */
    to?: Address;
}
export interface HistoryOptions {
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
/** Tells that messages may have been lost: fetch anew what was built from them. */
export interface Gap {
    readonly channel: string;
    /** Delivery goes on after it; undefined in channels without history. */
    readonly position: Position | undefined;
}
/** A message as it came, alone or among others of a channel. */
export declare function messageOf<T>(channel: string, wire: WireMessage | Payload, timestamp?: number): Message<T>;
