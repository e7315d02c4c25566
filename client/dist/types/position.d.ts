import type { Payload } from './wire.js';
/** A place in a channel's history. What it is made of is the server's business. */
export interface Position {
    /** Names one incarnation of the history; offsets of different epochs do not compare. */
    readonly epoch: string;
    /** Counts the messages of an epoch. */
    readonly offset: number;
    /** A short hash of the message at the offset, by which the server notices a history that was rewritten. */
    readonly anchor?: string;
}
/** The position in a payload; undefined in channels without history. */
export declare function positionOf({ epoch, offset, anchor }: Payload): Position | undefined;
/**
 * The position after a message; undefined when the message lies before `at` and
 * was delivered already. A message names its epoch only by what came before it.
 */
export declare function advance(at: Position, message: {
    offset?: number;
    anchor?: string;
}): Position | undefined;
/**
 * Whether messages may have been lost between the end of one subscription, at
 * `from`, and the beginning of the next. The server says so when it was asked to
 * recover; an event stream without a cursor could not ask, and then only an
 * unmoved position proves that nothing happened.
 */
export declare function missed(from: Position | undefined, subscribed: Payload): boolean;
/** Whether two positions are one; an anchor that one of them lacks is no difference. */
export declare function same(a: Position, b: Position | undefined): boolean;
