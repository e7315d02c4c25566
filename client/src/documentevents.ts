import type { RealtimeError } from './index.js';
import type { Patch } from './patch.js';

/**
 * - `loading`: nothing is known yet.
 * - `synced`: what is shown is what the server has.
 * - `saving`: updates are on the way to the server.
 * - `offline`: there is no connection; updates wait.
 * - `closed`: ended by the page or the server; only if the client was closed, it
 *   goes on when the client connects again.
 */
export type DocumentStatus = 'loading' | 'synced' | 'saving' | 'offline' | 'closed';

/** An update that was taken back. */
export interface Refusal {
  /** The update. To insist on it, pass it to `update`. Undefined: it would change nothing. */
  readonly patch: Patch | undefined;
  readonly error: RealtimeError;
}

/** The events of a document. */
export interface DocumentEvents<T> {
  /** What is shown has changed; `remote`: not by an update of this page, or not by one alone. */
  change: { readonly value: T; readonly previous: T | undefined; readonly remote: boolean };
  /** Somebody else has changed the same before: the update was taken back, or could not be undone. */
  conflict: Refusal;
  /** The server does not accept an update, which was taken back. */
  rejected: Refusal;
  /** `status`, or the number of pending updates, has changed. `error`: why the document is closed. */
  status: { readonly status: DocumentStatus; readonly pending: number; readonly error: RealtimeError | undefined };
}

/** Changes a draft, or gives a new value. */
export type Recipe<T> = (draft: T) => unknown;
