import type { Emitter } from './emitter.js';
import { RealtimeError } from './error.js';

/** The fields of both kinds of `state` events. */
interface Turn {
  readonly state: string;
  readonly error?: RealtimeError | undefined;
  readonly reason?: RealtimeError | undefined;
}

/** Resolves when `of` reaches the state `good`, and rejects when it reaches the state `bad`. `now` is its current state. */
export function ready(of: Emitter<any>, now: Turn, good: string, bad: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = ({ state, error, reason }: Turn): void => {
      if (state === good) resolve();
      else if (state === bad) reject(error ?? reason ?? new RealtimeError('CLOSED', state));
      else return;
      off();
    };
    const off = of.on('state', look);
    look(now);
  });
}
