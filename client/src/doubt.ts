import { RealtimeError } from './error.js';
import { problem, type Answer, type Http } from './http.js';
import type { Ending } from './transport.js';

/** Statuses below 500 that say nothing about the address: timeout, too early, too many requests. */
const passing = [408, 425, 429];

/**
 * Finds out why an address that never worked does not work. A browser does not tell a page
 * why a WebSocket was rejected. Requests find a wrong path, and an origin that the server
 * does not accept.
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
    const found = await diagnose(this.#http).catch(() => false);
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    if (found) this.#open = false;
    if (typeof found === 'object') this.#verdict(found);
  }
}

/** Returns what is wrong with an address; true if it is right, false if that is not known. */
async function diagnose(http: Http): Promise<Ending | boolean> {
  const answer = await http.ask(http.url(), { cache: 'no-store' }).catch(() => undefined);
  if (!answer) return diagnoseOther(http);
  // Without a transport the endpoint answers that an upgrade is required.
  if (answer.response.status !== 426) return misplaced(http, answer);
  // With this method browsers send the origin to the page's own host, too, as with WebSockets.
  return forbidden(http, await http.ask(http.url(), { method: 'OPTIONS' })) ?? true;
}

function misplaced(http: Http, answer: Answer): Ending | boolean {
  const { status } = answer.response;
  // The app may be offline and answer with a page from its cache.
  const served = status < 400 && (globalThis.navigator as Partial<Navigator> | undefined)?.serviceWorker?.controller;
  if (typeof problem(answer).code === 'string' || status >= 500 || passing.includes(status) || served)
    return forbidden(http, answer) ?? false;
  const text = `${address(http)} answers with HTTP status ${status}: it is no realtime endpoint`;
  return { error: new RealtimeError(status, text), retry: false };
}

function forbidden(http: Http, answer: Answer): Ending | undefined {
  const { code, message } = problem(answer);
  return code === 'FORBIDDEN' ? { error: new RealtimeError(code, `${address(http)}: ${message}`), retry: false } : undefined;
}

/** The same for another origin. The page can read its answers only if it is accepted there. */
async function diagnoseOther(http: Http): Promise<Ending | boolean> {
  const page = (globalThis.location as Location | undefined)?.origin;
  if (!page || page === http.base.origin) return false;
  const refused = `pages of ${page} may not connect to ${address(http)}: see 'origins'`;
  // Every origin may read the script.
  const script = await http.ask(http.url('/client.js'), { method: 'HEAD', credentials: 'omit' }).catch(() => undefined);
  if (script?.response.ok) return { error: new RealtimeError('FORBIDDEN', refused), retry: false };
  // This succeeds with any answer, and fails without one.
  await http.ask(http.url(), { mode: 'no-cors', credentials: 'omit' });
  return { error: new RealtimeError(1006, `no realtime endpoint, or ${refused}`), retry: true };
}

/** Returns the address without its query, which may have secrets. */
function address({ base }: Http): string {
  return base.origin + base.pathname;
}
