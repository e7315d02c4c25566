import { passes } from './retry.js';
import type { ErrorCode } from './codes.js';
import { RealtimeError } from './error.js';
import { waitOf, within } from './time.js';
import type { Ending } from './transport.js';

type Init = RequestInit & { headers?: Record<string, string> };

/** The server's HTTP side: requests below the base address, with the caller's credentials. */
export class Http {
  readonly base: URL;
  readonly #fetch: typeof fetch;
  readonly credentials: RequestCredentials;
  /** How long a request may take, in milliseconds. */
  readonly timeout: number;
  /** The current token. */
  token: string | undefined;

  constructor(base: URL, fetchFunction: typeof fetch, credentials: RequestCredentials, timeout: number) {
    this.base = base;
    this.#fetch = fetchFunction;
    this.credentials = credentials;
    this.timeout = timeout;
  }

  /**
   * Returns the address of a path below the base, or of the base itself with the slash at its
   * end. Leaves out parameters without a value.
   */
  url(path = '', query: Iterable<readonly [string, unknown]> = []): URL {
    const url = new URL(this.base);
    if (path) url.pathname = url.pathname.replace(/\/$/, '') + path;
    for (const [name, value] of query) if (value !== undefined) url.searchParams.append(name, String(value));
    return url;
  }

  /** Sends a request without a time limit. */
  send(url: URL, init: Init): Promise<Response> {
    const { token, credentials } = this;
    const named = token && init.credentials !== 'omit';
    const headers = { ...(named && { authorization: `Bearer ${token}` }), ...init.headers };
    // Called as a plain function: browsers reject fetch as a method of another object.
    return (0, this.#fetch)(url, { credentials, ...init, headers });
  }

  /** Sends a request and reads the answer. The body is undefined if it is not JSON. */
  ask(url: URL, init: Init = {}): Promise<Answer> {
    const abort = new AbortController();
    const answer = this.send(url, { ...init, signal: abort.signal }).then(read);
    return within(answer, this.timeout, () => abort.abort());
  }
}

/** An answer to a request, with its body if that is JSON. */
export interface Answer {
  readonly response: Response;
  readonly body: any;
}

export async function read(response: Response): Promise<Answer> {
  return { response, body: await response.json().catch(() => undefined) };
}

/** Returns the error of a command for an unexpected answer. */
export function problem({ response, body }: Answer): RealtimeError {
  const { code, detail, title, retryAfter } = body ?? {};
  return new RealtimeError(
    typeof code === 'string' ? (code as ErrorCode) : response.status,
    String(detail ?? title ?? `HTTP status ${response.status}`),
    waitOf(retryAfter) || waitIn(response.headers.get('retry-after')),
  );
}

/** Reads the header Retry-After: seconds or a date. */
function waitIn(header: string | null): number | undefined {
  const seconds = Number(header);
  return waitOf(Number.isNaN(seconds) ? Date.parse(header!) - Date.now() : seconds * 1000) || undefined;
}

/**
 * Returns what an answer means for a connection. An answer without a code of the protocol comes
 * from a proxy, for example while the server restarts, and is not final. After 204 an event
 * stream must not connect again.
 */
export function refusal(answer: Answer): Ending {
  const { status } = answer.response;
  const error = problem(answer);
  const foreign = typeof error.code === 'number';
  const retry = foreign ? status !== 204 : passes(error.code) || status >= 500;
  return { error, retry, after: error.retryAfter };
}
