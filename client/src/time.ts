import { RealtimeError } from './error.js';

export type Timer = ReturnType<typeof setTimeout>;

/** The longest wait of a timer, in milliseconds. `setTimeout` treats a longer one as no wait. */
const longest = 2 ** 31 - 1;

/** Calls `run` after a wait in milliseconds, at most after the longest wait. */
export function later(run: () => void, wait: number): Timer {
  return setTimeout(run, Math.min(longest, wait));
}

/** Reads a wait from outside; undefined if it is none. Returns at most the longest wait. */
export function waitOf(value: unknown): number | undefined {
  return Number.isFinite(value) && (value as number) >= 0 ? Math.min(longest, value as number) : undefined;
}

/** Rejects when `promise` takes longer than `wait`, after calling `stop`. */
export function within<T>(promise: Promise<T>, wait: number, stop = (): void => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = later(() => {
      reject(new RealtimeError(408, 'no answer in time'));
      stop();
    }, wait);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
