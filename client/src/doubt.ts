import { RealtimeError } from './error.js';
import { problem, type Answer, type Http } from './http.js';
import type { Ending } from './transport.js';

/** Statuses below 500 that say nothing about the address: timeout, too early, too many requests. */
const passing = [408, 425, 429];

/**
 * Finds out why an address that was never connected to does not work. A browser does
 * not tell a page why a WebSocket was refused; requests find a wrong path, and an
 * origin that the server does not let in.
 */
export class Doubt {
  readonly #http: Http;
  readonly #verdict: (ending: Ending) => void;
  /** The address is not known to be right. */
  #open = false;
  /** Names the question under way. */
  #asking: object | undefined;

  constructor(http: Http, verdict: (ending: Ending) => void) {
    this.#http = http;
    this.#verdict = verdict;
  }

  begin(): void {
    this.#open = true;
  }

  /** Forgets the doubt, and the question under way. */
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

/** Returns what is wrong with an address. True: it is right. False: that is not known. */
async function diagnose(http: Http): Promise<Ending | boolean> {
  const answer = await http.ask(http.url(), { cache: 'no-store' }).catch(() => undefined);
  if (!answer) return diagnoseOther(http);
  // The endpoint asks whoever comes without one of the transports to change over to one.
  if (answer.response.status !== 426) return misplaced(http, answer);
  // With this method browsers tell the origin also to the page's own host, as with WebSockets.
  return forbidden(http, await http.ask(http.url(), { method: 'OPTIONS' })) ?? true;
}

function misplaced(http: Http, answer: Answer): Ending | boolean {
  const { status } = answer.response;
  // It may be the app that is offline and answers with a page from its cache.
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

/** The same for another origin, whose answers the page can only read if it is let in there. */
async function diagnoseOther(http: Http): Promise<Ending | boolean> {
  const page = (globalThis.location as Location | undefined)?.origin;
  if (!page || page === http.base.origin) return false;
  const refused = `pages of ${page} may not connect to ${address(http)}: see 'origins'`;
  // The script may be read by everybody.
  const script = await http.ask(http.url('/client.js'), { method: 'HEAD', credentials: 'omit' }).catch(() => undefined);
  if (script?.response.ok) return { error: new RealtimeError('FORBIDDEN', refused), retry: false };
  // This succeeds whatever the answer is, and fails when there is none.
  await http.ask(http.url(), { mode: 'no-cors', credentials: 'omit' });
  return { error: new RealtimeError(1006, `no realtime endpoint, or ${refused}`), retry: true };
}

/** The address, without a query that may hold secrets. */
function address({ base }: Http): string {
  return base.origin + base.pathname;
}
