// The messages between a page and the shared worker. A worker of an older version may still run. So a message that
// older versions do not understand needs a new name.
export const workerName = 'caddy-realtime 1';

/** The first message. Pages with the same key use one connection. */
export interface Opening {
  readonly type: 'open';
  readonly url: string;
  readonly key: string;
  /** How long the client waits for the server, in milliseconds. An older page does not say it. */
  readonly timeout?: number | undefined;
}

/** Frames of the protocol are strings. All else is one of these. */
export type FromPage =
  | Opening
  /** The page holds this lock until it is gone. */
  | { readonly type: 'lock'; readonly name: string }
  /** The answer to `alive`. */
  | { readonly type: 'alive' }
  | { readonly type: 'close'; readonly code: number | undefined };

export type FromWorker =
  /** The worker runs. */
  | { readonly type: 'ready' }
  /** A ping of the worker. The page answers it with `alive`. */
  | { readonly type: 'alive' }
  /** The page needs a connection of its own. `greeted`: its client is connected, and must connect again. */
  | { readonly type: 'alone'; readonly greeted: boolean }
  | { readonly type: 'end'; readonly code: number; readonly reason: string };
