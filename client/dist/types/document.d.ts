import { Emitter, RealtimeError, type Subscription } from './index.js';
import { type Patch } from './patch.js';
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
    change: {
        readonly value: T;
        readonly previous: T | undefined;
        readonly remote: boolean;
    };
    /** Somebody else has changed the same before: the update was taken back. */
    conflict: Refusal;
    /** The server does not accept an update, which was taken back. */
    rejected: Refusal;
    /** `status`, or the number of pending updates, has changed. `error`: why the document is closed. */
    status: {
        readonly status: DocumentStatus;
        readonly pending: number;
        readonly error: RealtimeError | undefined;
    };
}
/** Changes a draft, or gives a new value. */
export type Recipe<T> = (draft: T) => unknown;
/**
 * A document that a page changes together with others. What it shows, `value`, is
 * the state that the server has confirmed with the page's own updates on top of it:
 *
 *     confirmed + flight.units + waiting = value
 *
 * One change is in flight at a time; the updates that are made meanwhile wait and
 * become the next one. When others have changed the document, the own updates are
 * transformed to come after that; those that collide are taken back.
 *
 * Whether the change in flight was made is not known after a lost connection, until
 * the server has answered it again. Nothing else is looked at meanwhile (`held`),
 * because what comes may contain it. So it is from the beginning where events and
 * answers come on different ways (`apart`).
 */
export declare class SharedDocument<T = any> extends Emitter<DocumentEvents<T>> {
    #private;
    readonly channel: string;
    /** The channel's messages and members. */
    readonly subscription: Subscription;
    /** What is shown, the own updates included. It never changes, and later values share what stays the same. */
    get value(): T | undefined;
    get status(): DocumentStatus;
    /** How many updates the server does not have yet. */
    get pending(): number;
    get canUndo(): boolean;
    /**
     * Changes the document, by a function that changes its draft or gives a new value,
     * or by a patch. All of it is done or nothing. It is shown at once; the promise
     * tells whether the server has taken it. Throws a {@link RealtimeError} if there
     * is no document (yet, or any more), or if the patch does not fit.
     */
    update(change: Recipe<T> | Patch): Promise<boolean>;
    /** Takes back the last own update that others have not changed since. False: there is none. */
    undo(): boolean;
    /** Calls `listener` with the value now, if there is one, and whenever it changes: a store, as Svelte knows it. */
    subscribe(listener: (value: T) => void): () => void;
    /** Ends it, and the subscription. What the server does not have yet is given up. */
    close(): void;
}
