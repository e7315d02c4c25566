import { Http } from './http.js';
import type { Options, TokenSource } from './options.js';
import type { PageScope } from './page.js';
import type { StreamContext } from './sse.js';
import type { TransportName } from './state.js';
import { waitOf } from './time.js';
import { eventSourceStream, fetchStream } from './streams.js';

/** The options with all defaults filled in. */
export interface Settings {
  readonly base: URL;
  readonly token: TokenSource | undefined;
  /** The transports that the client may use, the best one first. Empty on a server that renders the page. */
  readonly transports: readonly TransportName[];
  readonly timeout: number;
  readonly minDelay: number;
  readonly maxDelay: number;
  readonly buffer: number;
  readonly dropOldest: boolean;
  readonly WebSocket: typeof WebSocket;
  readonly sse: StreamContext;
  readonly page: PageScope;
}

export function settle(url: string | URL | undefined, o: Options): Settings {
  const base = baseURL(url);
  const page = o.page === undefined ? (globalThis as PageScope) : o.page;
  const WebSocketClass = o.WebSocket ?? globalThis.WebSocket;
  const fetchFunction = o.fetch ?? (globalThis.fetch as typeof fetch | undefined);
  const timeout = waitOf(o.timeout) ?? 10_000;
  const http = new Http(base, fetchFunction!, o.credentials ?? 'same-origin', timeout);
  const wanted = o.transport ?? 'auto';
  const transports: TransportName[] = [];
  if (wanted !== 'sse' && WebSocketClass) transports.push('websocket');
  if (wanted !== 'websocket' && fetchFunction) transports.push('sse');
  if (base.origin === nowhere) transports.length = 0;
  else if (!transports.length) throw new TypeError('no transport: pass WebSocket');
  return {
    base,
    token: o.token,
    transports,
    timeout,
    minDelay: waitOf(o.minDelay) ?? 1000,
    maxDelay: waitOf(o.maxDelay) ?? 30_000,
    buffer: o.buffer ?? 100,
    dropOldest: o.overflow === 'drop-oldest',
    WebSocket: WebSocketClass,
    sse: {
      http,
      open: o.EventSource ? eventSourceStream(o.EventSource, o.events ?? []) : fetchStream,
      audible: !o.EventSource,
    },
    page: page ?? {},
  };
}

/** The client reads it while the script is loaded. Later a script cannot find its own tag. */
const address = import.meta.url;

/** The origin of a path where there is no page. A server that renders a page has nothing to connect to. */
const nowhere = 'http://nowhere.invalid';

/** The address of the endpoint: the one that delivered the script, else the server's default path. */
function baseURL(url: string | URL | undefined): URL {
  const here = globalThis.location?.href ?? nowhere;
  const base = new URL(url ?? delivered(address) ?? '/realtime', here);
  base.protocol = base.protocol.replace('ws', 'http');
  base.hash = '';
  return base;
}

/**
 * Returns the endpoint that delivered the script; undefined if none did. Its path keeps the slash,
 * because a site may answer only what is below the path.
 */
export function delivered(script: string): string | undefined {
  return /^(https?:.*)(?<!\/dist)\/client\.js(\?.*)?$/.test(script) ? new URL('.', script).href : undefined;
}
