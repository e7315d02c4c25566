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
export function positionOf({ epoch, offset, anchor }: Payload): Position | undefined {
  if (epoch === undefined || offset === undefined) return undefined;
  return anchor === undefined ? { epoch, offset } : { epoch, offset, anchor };
}

/**
 * The position after a message; undefined when the message lies before `at` and
 * was delivered already. A message names its epoch only by what came before it.
 */
export function advance(at: Position, message: { offset?: number; anchor?: string }): Position | undefined {
  const { offset } = message;
  if (offset === undefined) return at;
  if (offset <= at.offset) return undefined;
  return positionOf({ ...message, epoch: at.epoch });
}

/**
 * Whether messages may have been lost between the end of one subscription, at
 * `from`, and the beginning of the next. The server says so when it was asked to
 * recover; an event stream without a cursor could not ask, and then only an
 * unmoved position proves that nothing happened.
 */
export function missed(from: Position | undefined, subscribed: Payload): boolean {
  if (subscribed.recovered !== undefined) return !subscribed.recovered;
  const to = positionOf(subscribed);
  return !from || !to || !same(from, to);
}

/** Whether two positions are one; an anchor that one of them lacks is no difference. */
export function same(a: Position, b: Position | undefined): boolean {
  return a.epoch === b?.epoch && a.offset === b.offset && (a.anchor ?? b.anchor) === (b.anchor ?? a.anchor);
}
