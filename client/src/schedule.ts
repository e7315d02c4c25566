import { backoff } from './retry.js';
import { later, type Timer } from './time.js';

/** After a connection that lived this long, earlier failures no longer count. */
const stableAfter = 30_000;

/** Decides when the client connects again. At most one attempt is planned. */
export class Schedule {
  readonly #minDelay: number;
  readonly #maxDelay: number;
  readonly #dial: () => void;
  /** Counts the attempts in a row that led to no stable connection. */
  #attempt = 0;
  /** When the current connection became open; 0 if it is not open. */
  #openedAt = 0;
  #timer: Timer | undefined;
  /** True if the server asked for the current wait. */
  #asked = false;
  /** When the client may connect again after the server announced its end; 0 if it did not. */
  #returnAt = 0;

  constructor(minDelay: number, maxDelay: number, dial: () => void) {
    this.#minDelay = minDelay;
    this.#maxDelay = maxDelay;
    this.#dial = dial;
  }

  /** True if an attempt is planned that the page may make earlier. */
  get hasty(): boolean {
    return !!this.#timer && !this.#asked;
  }

  /** The rest of the wait after the server announced its end; undefined if it did not. */
  get returnIn(): number | undefined {
    return this.#returnAt ? Math.max(0, this.#returnAt - Date.now()) : undefined;
  }

  /** Records that the connection is open. */
  opened(): void {
    this.#openedAt = Date.now();
  }

  /** Forgets earlier failures. */
  forget(): void {
    this.#attempt = 0;
  }

  /**
   * Plans the next attempt and returns the wait. `asked` is the shortest wait that the server
   * allows. The browser may say `offline` wrongly. So the client tries nevertheless, after the
   * longest wait. `now`: the client itself need not wait.
   */
  plan(asked: number | undefined, offline: boolean, now: boolean): number {
    this.#judge();
    const own = offline ? this.#maxDelay : now ? 0 : backoff(this.#attempt++, this.#minDelay, this.#maxDelay);
    return this.#wait(Math.max(asked ?? 0, own), asked !== undefined);
  }

  /**
   * Records when the client may connect again after the server announced its end. The wait is at
   * least the client's own. Otherwise all clients would return at once.
   */
  return(after: number): void {
    this.#judge();
    const own = backoff(this.#attempt, this.#minDelay, this.#maxDelay);
    if (after < own) this.#attempt++;
    this.#returnAt = Date.now() + this.#wait(Math.max(after, own), true);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#returnAt = 0;
  }

  /** Checks whether the ending connection was stable. */
  #judge(): void {
    if (this.#openedAt && Date.now() - this.#openedAt >= stableAfter) this.forget();
    this.#openedAt = 0;
  }

  #wait(wait: number, asked: boolean): number {
    this.cancel();
    this.#asked = asked;
    this.#timer = later(this.#dial, wait);
    return wait;
  }
}
