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
    /** The server ended one channel or pattern. The others continue. */
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
 * A watch of channels and patterns. It has an event stream of its own, for two reasons: on the
 * connection of the client a message of a pattern looks like one of a channel, and a stream has
 * one filter for everything.
 *
 * It has a stream only while the client is connected, so that the client handles tokens and the
 * page's life. The stream outlives interruptions of the client's connection.
 */
export declare class Watch<T = unknown> extends Emitter<WatchEvents<T>> {
    #private;
    get state(): WatchState;
    /** Ends the stream. */
    close(): void;
}
