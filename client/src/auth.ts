import { RealtimeError, textOf } from './error.js';
import type { Http } from './http.js';
import type { TokenSource } from './options.js';

const expired: readonly unknown[] = ['UNAUTHORIZED', 'TOKEN_EXPIRED', 4401];
const longestTimer = 2 ** 31 - 1;

/** Looks after the token: a new one for each connection, and in time before it expires. */
export class Auth {
  readonly #source: TokenSource | undefined;
  readonly #http: Http;
  #refused = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: TokenSource | undefined, http: Http) {
    this.#source = source;
    this.#http = http;
  }

  get token(): string | undefined {
    return this.#http.token;
  }

  /** Gets the token for the next connection. */
  async next(): Promise<void> {
    const source = this.#source;
    try {
      this.#http.token = (typeof source === 'function' ? await source() : source) ?? undefined;
    } catch (error) {
      if (error instanceof RealtimeError) throw error;
      throw new RealtimeError('TOKEN_FAILED', textOf(error));
    }
  }

  /** The token was accepted. */
  accepted(): void {
    this.#refused = false;
  }

  /**
   * Whether an end that is final is not, because a new token may be better than
   * the one that was refused. One refusal of a new token is enough, though.
   */
  renews(error: RealtimeError): boolean {
    if (this.#refused || typeof this.#source !== 'function' || !expired.includes(error.code)) return false;
    return (this.#refused = true);
  }

  /**
   * Calls `renew` before a token expires that has `life` milliseconds left: some
   * time from 80 to 90 % of it, so that clients that came together do not all
   * renew together.
   */
  expires(life: number, renew: () => void): void {
    if (typeof this.#source !== 'function') return;
    this.stop();
    this.#timer = setTimeout(renew, Math.min(longestTimer, life * (0.8 + Math.random() * 0.1)));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
