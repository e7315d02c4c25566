import { RealtimeError, textOf } from './error.js';
import type { Http } from './http.js';
import type { TokenSource } from './options.js';
import { later, within, type Timer } from './time.js';
import type { Ending } from './transport.js';

const expired: readonly unknown[] = ['UNAUTHORIZED', 'TOKEN_EXPIRED', 4401];
/** The shortest waits before a renewal: after a new token, and after a try without one. */
const [firstWait, nextWait] = [1000, 5000];

/** Gets a token for each connection, and a new one before it expires. */
export class Auth {
  readonly #source: TokenSource | undefined;
  readonly #http: Http;
  readonly #problem: (error: RealtimeError) => void;
  #refused = false;
  #warned = false;

  // Of the current connection.
  #timer: Timer | undefined;
  /** When its token expires, by the server's clock; 0 if that is not known. */
  #expires = 0;
  /** When its token expires, by the page's clock. */
  #end = 0;

  constructor(source: TokenSource | undefined, http: Http, problem: (error: RealtimeError) => void) {
    this.#source = source;
    this.#http = http;
    this.#problem = problem;
  }

  get token(): string | undefined {
    return this.#http.token;
  }

  /** Gets the token for the next connection. */
  async next(): Promise<void> {
    const source = this.#source;
    try {
      const token = typeof source === 'function' ? await within(Promise.resolve(source()), this.#http.timeout) : source;
      this.#http.token = token ?? undefined;
    } catch (error) {
      if (error instanceof RealtimeError && error.code !== 408) throw error;
      throw new RealtimeError('TOKEN_FAILED', textOf(error));
    }
  }

  /** Returns the end with which an attempt without a good token fails. */
  static failed(error: RealtimeError): Ending {
    const { code, retryAfter } = error;
    return { error, retry: code !== 'UNAUTHORIZED' && code !== 'FORBIDDEN', after: retryAfter };
  }

  /** Handles the acceptance of the token. */
  accepted(): void {
    this.#refused = false;
  }

  /**
   * Reports whether the client may try again after a final end, because a new token may be
   * better than the rejected one. It tries only one new token.
   */
  renews(error: RealtimeError): boolean {
    if (this.#refused || typeof this.#source !== 'function' || !expired.includes(error.code)) return false;
    return (this.#refused = true);
  }

  /**
   * The token expires at `expires` and has `life` milliseconds left. `send` sends another one
   * after 80 to 90 % of that time, at random, so that clients that connected together do not
   * renew together.
   */
  expires(expires: number, life: number, send: () => void): void {
    if (typeof this.#source !== 'function') return;
    const newer = expires > this.#expires;
    this.#expires = expires;
    this.#end = Date.now() + life;
    if (newer) this.#plan(Math.max(firstWait, life * (0.8 + Math.random() * 0.1)), send);
    else this.#stale(send);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#expires = 0;
  }

  #plan(wait: number, send: () => void): void {
    clearTimeout(this.#timer);
    const timer = (this.#timer = later(() => void this.#renew(timer, send), wait));
  }

  async #renew(timer: Timer, send: () => void): Promise<void> {
    const before = this.token;
    const error = await this.next().catch((error: RealtimeError) => error);
    if (timer !== this.#timer) return;
    if (error) {
      this.#problem(error);
      this.again(send);
    } else if (this.token === before) this.#stale(send);
    else send();
  }

  /** Handles a token that does not expire later than the one before, so that it renews nothing. */
  #stale(send: () => void): void {
    this.again(send);
    if (this.#warned) return;
    this.#warned = true;
    const text = 'the new token expires no later';
    console.warn(`caddy-realtime: ${text}`);
    this.#problem(new RealtimeError('TOKEN_FAILED', text));
  }

  /** Calls the token function again after half of the remaining time. */
  again(send: () => void): void {
    this.#plan(Math.max(nextWait, (this.#end - Date.now()) / 2), send);
  }
}
