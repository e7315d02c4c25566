import type { Patch } from './patch.js';
import type { Unit } from './unit.js';
import type { Payload } from './wire.js';

/** The change that the server was sent. */
export interface Flight {
  readonly localVersion: number;
  readonly epoch: string;
  readonly baseVersion: number;
  readonly patch: Patch;
  units: readonly Unit[];
  /** Units that collide with what came meanwhile: the server is about to say so. */
  readonly lost: Unit[];
  tries: number;
  /** The answer, which came ahead of the versions before the change. */
  answer?: Payload;
}

/** Errors that say nothing about the change. Those of the first kind are waited out. */
export const passing: readonly unknown[] = ['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL', 'TOKEN_EXPIRED', 408, 429];
export const elsewhere: readonly unknown[] = ['CLOSED', 'NOT_SUBSCRIBED', 'UNSUPPORTED'];

/** So many bytes of updates become one change, well within the limits of the server. */
export const batch = 8192;
