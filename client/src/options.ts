import type { PageScope } from './page.js';
import type { TransportName } from './state.js';

type Token = string | null | undefined;

/** A token, or a function that returns one. The client calls it before every connection, and before a token expires. */
export type TokenSource = string | (() => Token | Promise<Token>);

/** Options of a client. All are optional. */
export interface Options {
  /** The token of the user. Default: none; the server may know the user by a cookie. */
  token?: TokenSource;
  /** `auto` (default): WebSocket, or Server-Sent Events while WebSocket is blocked. */
  transport?: 'auto' | TransportName;
  /** The longest time for opening a connection and for an answer, in milliseconds. Default: 10,000. */
  timeout?: number;
  /** The limit of the wait before the first try to reconnect, in milliseconds. It doubles with each try. Default: 1,000. */
  minDelay?: number;
  /** The upper bound of that limit, in milliseconds. Default: 30,000. */
  maxDelay?: number;
  /** How many messages and requests may wait to be sent, for example while there is no connection. Default: 100. */
  buffer?: number;
  /** Which one fails when the buffer is full: the newest (`reject`, the default) or the oldest (`drop-oldest`). */
  overflow?: 'reject' | 'drop-oldest';
  /** Whether requests carry cookies, as for fetch. Default: `same-origin`. */
  credentials?: RequestCredentials;
  /** Default: the global one. */
  WebSocket?: typeof WebSocket;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /** Reads event streams with this class. Default: none. The client uses fetch, which sees more. */
  EventSource?: typeof EventSource;
  /** The names of the app's events. An EventSource must know them in advance. Default: none. */
  events?: readonly string[];
  /** The source of network and visibility events. Default: the global object; `null` for none. */
  page?: PageScope | null;
}
