import type { PageScope } from './page.js';
import type { TransportName } from './state.js';

type Token = string | null | undefined;

/** A token, or where to get one: asked on every connect and before a token expires. */
export type TokenSource = string | (() => Token | Promise<Token>);

/** Options of a client; every one may be left out. */
export interface Options {
  /** Who is calling. Default: nobody, or whom the server knows by a cookie. */
  token?: TokenSource;
  /** `auto` (default): WebSocket, and Server-Sent Events while WebSocket does not get through. */
  transport?: 'auto' | TransportName;
  /** How long opening a connection, or the answer to a ping, may take, in milliseconds. Default: 10,000. */
  timeout?: number;
  /** The limit of the wait before the first try to reconnect, in milliseconds; it doubles with each. Default: 1,000. */
  minDelay?: number;
  /** The limit of all waits, in milliseconds. Default: 30,000. */
  maxDelay?: number;
  /** How many messages and requests may wait to be sent, because there is no connection for instance. Default: 100. */
  buffer?: number;
  /** What fails when more have to wait: the newest (`reject`, the default) or the oldest (`drop-oldest`). */
  overflow?: 'reject' | 'drop-oldest';
  /** Whether requests carry cookies, as for fetch. Default: `same-origin`. */
  credentials?: RequestCredentials;
  /** Default: the global one. */
  WebSocket?: typeof WebSocket;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /** Reads event streams with this class. Default: none, they are read with fetch, which sees more. */
  EventSource?: typeof EventSource;
  /** The names of the application's events, which an EventSource has to know in advance. Default: none. */
  events?: readonly string[];
  /** What tells of network and visibility. Default: the global object; `null` for none. */
  page?: PageScope | null;
}
