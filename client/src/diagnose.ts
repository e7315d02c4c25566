// The client loads this file when it cannot reach its address. It shares only the class of errors with client.js.
import { problem } from './answer.js';
import { RealtimeError } from './core.js';
import { later } from './time.js';

/** The part of `Http` that this file uses. Every build keeps these names. */
interface Site {
  readonly timeout: number;
  url(path?: string): URL;
  send(url: URL, init: RequestInit): Promise<Response>;
}

/** An answer, with its body if that is a JSON object. */
interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly body: Record<string, unknown>;
}

/** Statuses below 500 that say nothing about the address: timeout, too early, too many requests. */
const passing = [408, 425, 429];

async function ask(http: Site, url: URL, init: RequestInit): Promise<Answer> {
  const abort = new AbortController();
  const answer = http.send(url, { ...init, signal: abort.signal }).then(async (response) => ({
    status: response.status,
    ok: response.ok,
    body: ((await response.json().catch(() => undefined)) ?? {}) as Record<string, unknown>,
  }));
  return new Promise((resolve, reject) => {
    const timer = later(() => {
      reject(new RealtimeError(408, 'no answer in time'));
      abort.abort();
    }, http.timeout);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function errorOf({ status, body }: Answer): RealtimeError {
  return problem(status, body);
}

/** What is wrong, and whether the client continues to try. */
type Verdict = readonly [error: RealtimeError, again: boolean];

/** Returns what is wrong with an address; true if the address is right, false if that is not known. */
export async function diagnose(http: Site): Promise<Verdict | boolean> {
  const answer = await ask(http, http.url(), { cache: 'no-store' }).catch(() => undefined);
  if (!answer) return diagnoseOther(http);
  // A request without an upgrade gets the answer that an upgrade is required.
  if (answer.status !== 426) return misplaced(http, answer);
  // With this method browsers send the origin to the page's own host, too, as with WebSockets.
  return forbidden(http, await ask(http, http.url(), { method: 'OPTIONS' })) ?? true;
}

function misplaced(http: Site, answer: Answer): Verdict | boolean {
  const { status } = answer;
  // The app may be offline and answer with a page from its cache.
  const served = status < 400 && (globalThis.navigator as Partial<Navigator> | undefined)?.serviceWorker?.controller;
  if (typeof errorOf(answer).code === 'string' || status >= 500 || passing.includes(status) || served)
    return forbidden(http, answer) ?? false;
  const text = `${address(http)} answers with HTTP status ${status}: it is no realtime endpoint`;
  return [new RealtimeError(status, text), false];
}

function forbidden(http: Site, answer: Answer): Verdict | undefined {
  const { code, message } = errorOf(answer);
  return code === 'FORBIDDEN' ? [new RealtimeError(code, `${address(http)}: ${message}`), false] : undefined;
}

/** Does the same for another origin. The page can read the answers only if that server accepts the page's origin. */
async function diagnoseOther(http: Site): Promise<Verdict | boolean> {
  const page = (globalThis.location as Location | undefined)?.origin;
  if (!page || page === http.url().origin) return false;
  const refused = `pages of ${page} may not connect to ${address(http)}: see 'origins'`;
  // Every origin may read the script.
  const script = await ask(http, http.url('/client.js'), { method: 'HEAD', credentials: 'omit' }).catch(() => undefined);
  if (script?.ok) return [new RealtimeError('FORBIDDEN', refused), false];
  // This request succeeds with any answer, and fails without one.
  await ask(http, http.url(), { mode: 'no-cors', credentials: 'omit' });
  return [new RealtimeError(1006, `no realtime endpoint, or ${refused}`), true];
}

/** Returns the address without its query, which may have secrets. */
function address(http: Site): string {
  const { origin, pathname } = http.url();
  return origin + pathname;
}
