import type { Patch } from './patch.js';
import type { Unit } from './unit.js';
import type { Payload } from './wire.js';

/** The change that was sent to the server. */
export interface Flight {
  readonly localVersion: number;
  readonly epoch: string;
  readonly baseVersion: number;
  readonly patch: Patch;
  units: readonly Unit[];
  /** Units that collide with newer versions. The server is about to reject them. */
  readonly gone: Unit[];
  tries: number;
  /** The answer, if it came before the versions that precede the change. */
  answer?: Payload;
}

/** Errors that are not about the change itself. After those of the first list the client waits and tries again. */
export const passing: readonly unknown[] = ['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL', 'TOKEN_EXPIRED', 408, 429];
export const elsewhere: readonly unknown[] = ['CLOSED', 'NOT_SUBSCRIBED', 'UNSUPPORTED'];

/** The most bytes of updates in one change, well below the limits of the server. */
export const batch = 8192;
