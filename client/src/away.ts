import type { Appearance } from './index.js';

/** The part of a browser's global object that shows whether somebody uses the page. */
export interface AwayScope {
  addEventListener(type: string, listener: () => void, options: AddEventListenerOptions): void;
  readonly document?: {
    readonly visibilityState: string;
    addEventListener(type: string, listener: () => void, options: AddEventListenerOptions): void;
  };
}

export interface AwayOptions {
  /** The time without a key, pointer or wheel after which the user is away, in milliseconds; `Infinity` for never. Default: 300,000. */
  idle?: number;
  /** The time for which the page is hidden before the user is away, in milliseconds. Default: 60,000. */
  hidden?: number;
  /** What the others see then. Default: `away`. */
  away?: string;
  /** What they see when the user is back. Default: `online`. */
  present?: string;
  /** The source of the events. Default: the global object; without a document nothing happens. */
  page?: AwayScope;
}

/** `setTimeout` treats a longer wait as none. */
const longest = 2 ** 31 - 1;
const signs = 'pointerdown pointermove keydown wheel touchstart scroll focus'.split(' ');

/**
 * Shows the others that the user is away while the page is hidden, or nobody uses it, for a while. `presence` is
 * that of a subscription. Returns a function that stops it.
 */
export function autoAway(presence: { update(appearance: Appearance): void }, options: AwayOptions = {}): () => void {
  const { idle = 300_000, hidden = 60_000, away = 'away', present = 'online', page = globalThis as AwayScope } = options;
  const { document } = page;
  const stop = new AbortController();
  if (!document) return () => {};
  const visible = (): boolean => document.visibilityState !== 'hidden';
  let gone = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end = 0;
  const turn = (is: boolean): void => {
    if (gone === is) return;
    gone = is;
    presence.update({ status: is ? away : present });
  };
  const wait = (ms: number): void => {
    end = Date.now() + ms;
    clearTimeout(timer);
    timer = setTimeout(check, Math.min(longest, ms));
  };
  /** A sign of life only moves the end of the wait. A new timer for each of them would cost too much. */
  const check = (): void => {
    const rest = end - Date.now();
    if (rest > 0) timer = setTimeout(check, Math.min(longest, rest));
    else turn(true);
  };
  const seen = (): void => {
    if (!visible()) return;
    end = Date.now() + idle;
    if (gone) wait(idle);
    turn(false);
  };
  const changed = (): void => {
    if (visible()) {
      wait(idle);
      turn(false);
    } else wait(hidden);
  };
  for (const type of signs) page.addEventListener(type, seen, { signal: stop.signal, passive: true, capture: true });
  document.addEventListener('visibilitychange', changed, { signal: stop.signal });
  changed();
  return () => {
    clearTimeout(timer);
    stop.abort();
  };
}
