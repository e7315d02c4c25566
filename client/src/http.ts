import { passes } from './retry.js';
import type { ErrorCode } from './codes.js';
import { RealtimeError } from './error.js';
import type { Ending } from './transport.js';

/** The server's HTTP side: requests below the base address, with the caller's credentials. */
export class Http {
  readonly #base: URL;
  readonly #fetch: typeof fetch;
  readonly credentials: RequestCredentials;
  /** The current token. */
  token: string | undefined;

  constructor(base: URL, fetchFunction: typeof fetch, credentials: RequestCredentials) {
    this.#base = base;
    this.#fetch = fetchFunction;
    this.credentials = credentials;
  }

  /** The address of a path below the base; parameters without a value are left out. */
  url(path: string, query: Iterable<readonly [string, unknown]>): URL {
    const url = new URL(this.#base);
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    for (const [name, value] of query) if (value !== undefined) url.searchParams.append(name, String(value));
    return url;
  }

  send(url: URL, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const headers = { ...(this.token && { authorization: `Bearer ${this.token}` }), ...init.headers };
    // Called as a plain function: browsers refuse fetch as a method of something else.
    const { credentials } = this;
    return (0, this.#fetch)(url, { credentials, ...init, headers });
  }
}

/** What a response that is not what was asked for means for a command, and its body if that is JSON. */
export async function problem(response: Response): Promise<[RealtimeError, any]> {
  const body = await response.json().catch(() => undefined);
  const error = new RealtimeError(
    (body?.code as ErrorCode) ?? response.status,
    body?.detail ?? body?.title ?? `HTTP status ${response.status}`,
    body?.retryAfter ?? (Number(response.headers.get('retry-after')) * 1000 || undefined),
  );
  return [error, body];
}

/**
 * What it means for a connection. An answer without a code of the protocol is not
 * the server's own (a proxy's, while the server restarts) and says nothing final;
 * 204 is how an event stream is told to stay away.
 */
export function refusal(status: number, error: RealtimeError): Ending {
  const foreign = typeof error.code === 'number';
  const retry = foreign ? status !== 204 : passes(error.code) || status >= 500;
  return { error, retry, after: error.retryAfter };
}
