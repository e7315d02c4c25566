import { Emitter, RealtimeError } from './core.js';
import { type Message } from './message.js';
import { type Position } from './position.js';
export interface WatchOptions {
    /** Which messages to get: an expression in CEL over `tags`, `event`, `sender` and `content`. It holds for all channels and patterns. */
    filter?: string;
    /** How many of the newest messages of each channel to start with, at most 1,000. Default: 0. Patterns have none. */
    history?: number;
}
/** `waiting`: there is no stream, or none yet. `closed`: the page or the server ended it. */
export type WatchState = 'waiting' | 'open' | 'closed';
/** Messages of the channel, or of some channel of the pattern, may have been lost. */
export interface WatchGap {
    readonly channel?: string;
    readonly pattern?: string;
    /** Delivery goes on after this position, in a channel with history. */
    readonly position: Position | undefined;
}
/** The events of a {@link Watch}. */
export interface WatchEvents<T> {
    message: Message<T>;
    gap: WatchGap;
    /** The server took one channel or pattern away. The others go on. */
    unsubscribed: {
        readonly channel?: string;
        readonly pattern?: string;
        readonly error: RealtimeError;
    };
    /** `error` says why there is no stream. */
    state: {
        readonly state: WatchState;
        readonly error: RealtimeError | undefined;
    };
}
/**
 * An event stream with one filter. It has a stream of its own because the connection of the
 * client could not tell a message of a pattern from one of a channel, and because a stream has
 * one filter for all that it brings.
 *
 * It has a stream only while the client is connected, so that the client takes care of tokens and
 * of the page's life. The stream outlives interruptions of the client's connection.
 */
export declare class Watch<T = unknown> extends Emitter<WatchEvents<T>> {
    #private;
    get state(): WatchState;
    /** Ends the stream. */
    close(): void;
}
