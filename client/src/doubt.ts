import type { Http } from './http.js';
import type { Ending } from './transport.js';

/**
 * Finds out why an address has never worked. A browser does not tell a page why a WebSocket
 * was rejected. HTTP requests show whether the path is wrong, or whether the server does not
 * accept the origin. The code for that is in a file of its own, which few pages load.
 */
export class Doubt {
  readonly #http: Http;
  readonly #verdict: (ending: Ending) => void;
  /** It is not known whether the address is right. */
  #open = false;
  /** The number of the current diagnosis. */
  #asking: object | undefined;

  constructor(http: Http, verdict: (ending: Ending) => void) {
    this.#http = http;
    this.#verdict = verdict;
  }

  begin(): void {
    this.#open = true;
  }

  /** Ends the doubt and the current diagnosis. */
  end(): void {
    this.#open = false;
    this.#asking = undefined;
  }

  /** Handles an opening that failed. */
  async failed(): Promise<void> {
    if (!this.#open || this.#asking) return;
    const asking = (this.#asking = {});
    const found = await import('./diagnose.js').then(({ diagnose }) => diagnose(this.#http)).catch(() => false as const);
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    if (found) this.#open = false;
    if (typeof found === 'object') this.#verdict({ error: found[0], retry: found[1] });
  }
}
