import type { Payload } from './wire.js';

/** A place in a channel's history. Only the server interprets its parts. */
export interface Position {
  /** Names one incarnation of the history. Offsets of different epochs cannot be compared. */
  readonly epoch: string;
  /** Counts the messages of an epoch. */
  readonly offset: number;
  /** A short hash of the message at the offset. With it the server notices a rewritten history. */
  readonly anchor?: string;
}

/** Returns the position in a payload; undefined in channels without history. */
export function positionOf({ epoch, offset, anchor }: Payload): Position | undefined {
  if (epoch === undefined || offset === undefined) return undefined;
  return anchor === undefined ? { epoch, offset } : { epoch, offset, anchor };
}

/**
 * Returns the position after a message; undefined if the message is before `at` and was
 * delivered already. A message has no epoch; it has that of the events before it.
 */
export function advance(at: Position, message: { offset?: number; anchor?: string }): Position | undefined {
  const { offset } = message;
  if (offset === undefined) return at;
  if (offset <= at.offset) return undefined;
  return positionOf({ ...message, epoch: at.epoch });
}

/**
 * Reports whether messages may have been lost between the end of one subscription, at
 * `from`, and the start of the next. If the client asked to recover, the answer of the server
 * says it. An event stream without a cursor cannot ask. Then only an unchanged position
 * proves that nothing was lost.
 */
export function missed(from: Position | undefined, subscribed: Payload): boolean {
  if (subscribed.recovered !== undefined) return !subscribed.recovered;
  const to = positionOf(subscribed);
  return !from || !to || !same(from, to);
}

/** Reports whether two positions are equal. An anchor that one of them lacks does not count. */
export function same(a: Position, b: Position | undefined): boolean {
  return a.epoch === b?.epoch && a.offset === b.offset && (a.anchor ?? b.anchor) === (b.anchor ?? a.anchor);
}
