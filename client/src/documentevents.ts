import type { RealtimeError } from './index.js';
import type { Patch } from './patch.js';

/**
 * - `loading`: nothing is known yet.
 * - `synced`: the server has everything that the page shows.
 * - `saving`: updates are on the way to the server.
 * - `offline`: there is no connection; updates wait.
 * - `closed`: the page or the server ended it, or the client is closed. After a close of the
 *   client it goes on when the client connects again.
 */
export type DocumentStatus = 'loading' | 'synced' | 'saving' | 'offline' | 'closed';

/** An update that was taken back. */
export interface Refusal {
  /** The update. To insist on it, pass it to `update`. Undefined if it would change nothing. */
  readonly patch: Patch | undefined;
  readonly error: RealtimeError;
}

/** The events of a document. */
export interface DocumentEvents<T> {
  /** The value has changed. `remote`: others have a part in it, not only this page. */
  change: { readonly value: T; readonly previous: T | undefined; readonly remote: boolean };
  /** Another client changed the same first: the update was taken back, or could not be undone. */
  conflict: Refusal;
  /** The server rejected an update, and it was taken back. */
  rejected: Refusal;
  /** `status` or the number of pending updates has changed. `error` says why the document is closed. */
  status: { readonly status: DocumentStatus; readonly pending: number; readonly error: RealtimeError | undefined };
}

/** Changes a draft, or returns a new value. */
export type Recipe<T> = (draft: T) => unknown;
