import type { Http } from './http.js';
import type { Ending } from './transport.js';

/**
 * Finds out why an address that never worked does not work. A browser does not tell a page
 * why a WebSocket was rejected. Requests find a wrong path, and an origin that the server
 * does not accept. The code for that is a file of its own, which few pages ever load.
 */
export class Doubt {
  readonly #http: Http;
  readonly #verdict: (ending: Ending) => void;
  /** It is not known whether the address is right. */
  #open = false;
  /** Names the current question. */
  #asking: object | undefined;

  constructor(http: Http, verdict: (ending: Ending) => void) {
    this.#http = http;
    this.#verdict = verdict;
  }

  begin(): void {
    this.#open = true;
  }

  /** Drops the doubt, and the current question. */
  end(): void {
    this.#open = false;
    this.#asking = undefined;
  }

  /** A connection could not be opened. */
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
