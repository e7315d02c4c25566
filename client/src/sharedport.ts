// What a page and the shared worker say to each other. Both are built by themselves, and a worker of an older
// version may still run: a change that an older one does not understand needs another name.
export const workerName = 'caddy-realtime 1';

/** Frames of the protocol are strings. All else is one of these. */
export type FromPage =
  /** The first message. Pages with the same key use one connection. */
  | { readonly type: 'open'; readonly url: string; readonly key: string }
  /** The page holds this lock until it is gone. */
  | { readonly type: 'lock'; readonly name: string }
  /** The answer to `alive`. */
  | { readonly type: 'alive' }
  | { readonly type: 'close'; readonly code: number | undefined };

export type FromWorker =
  /** The worker runs. */
  | { readonly type: 'ready' }
  /** A question that a living page answers. */
  | { readonly type: 'alive' }
  /** The page needs a connection of its own. `greeted`: its client is connected, and must connect again. */
  | { readonly type: 'alone'; readonly greeted: boolean }
  | { readonly type: 'end'; readonly code: number; readonly reason: string };
