import { backoff } from './retry.js';
import { later, type Timer } from './time.js';

/** A connection that lived so long makes failures before it forgotten. */
const stableAfter = 30_000;

/** Decides when a connection is tried again. At most one attempt is planned. */
export class Schedule {
  readonly #minDelay: number;
  readonly #maxDelay: number;
  readonly #dial: () => void;
  /** Counts the attempts in a row that led to no stable connection. */
  #attempt = 0;
  /** When the connection in use became open; 0: it is not. */
  #openedAt = 0;
  #timer: Timer | undefined;
  /** The server asked for the wait. */
  #asked = false;
  /** When the server wants the client back, after it announced to go; 0: it did not. */
  #returnAt = 0;

  constructor(minDelay: number, maxDelay: number, dial: () => void) {
    this.#minDelay = minDelay;
    this.#maxDelay = maxDelay;
    this.#dial = dial;
  }

  /** Whether an attempt is planned that the page may make earlier. */
  get hasty(): boolean {
    return !!this.#timer && !this.#asked;
  }

  /** The rest of the wait until the server that goes wants the client back; undefined: no server goes. */
  get returnIn(): number | undefined {
    return this.#returnAt ? Math.max(0, this.#returnAt - Date.now()) : undefined;
  }

  /** The connection is open. */
  opened(): void {
    this.#openedAt = Date.now();
  }

  /** Forgets the failures before. */
  forget(): void {
    this.#attempt = 0;
  }

  /**
   * Plans the next attempt and returns the wait. `asked` is the least wait that the
   * server asked for. A browser that says `offline` may be wrong, so the client
   * tries all the same, after the longest wait.
   */
  plan(asked: number | undefined, offline: boolean): number {
    this.#judge();
    const own = offline ? this.#maxDelay : backoff(this.#attempt++, this.#minDelay, this.#maxDelay);
    return this.#wait(Math.max(asked ?? 0, own), asked !== undefined);
  }

  /**
   * The server goes and says when to come back. It may not say less than the
   * client's own wait: a server that sends everybody away at once would be
   * stormed.
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

  /** Looks whether the connection was stable that ends now. */
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
