import { Emitter, type Subscription } from './core.js';
import type { DocumentEvents, DocumentStatus, Recipe } from './documentevents.js';
import { type Patch } from './patch.js';
/**
 * A document that a page changes together with others. Its `value` is the state that the
 * server has confirmed, with the page's own updates on top:
 *
 *     confirmed + flight.units + waiting = value
 *
 * One change is in flight at a time. Updates that are made meanwhile wait, and become the
 * next change. When others have changed the document, the client transforms its own updates
 * to come after their changes. It takes back the updates that collide.
 *
 * After a lost connection the client does not know whether the server made the change in
 * flight. It sends the change again. Until the answer arrives, other events wait (`held`),
 * because they may contain the change. If events and answers arrive over different
 * connections (`apart`), events always wait while a change is in flight.
 */
export declare class SharedDocument<T = any> extends Emitter<DocumentEvents<T>> {
    #private;
    readonly channel: string;
    /** The channel's messages and members. */
    readonly subscription: Subscription;
    /** The value to show, with the page's own updates. It is frozen, and later values share what stays the same. */
    get value(): T | undefined;
    get status(): DocumentStatus;
    /** How many updates the server does not have yet. */
    get pending(): number;
    get canUndo(): boolean;
    /**
     * Changes the document by a function that changes its draft or returns a new value, or by a
     * patch. The update is made as a whole or not at all. The page shows it at once. The promise
     * resolves to true if the server accepted it. Throws a {@link RealtimeError} if there is no
     * document (yet, or any more), or if the patch does not fit.
     */
    update(change: Recipe<T> | Patch): Promise<boolean>;
    /**
     * Undoes the page's last update as a whole. If others have changed the same since, it undoes nothing,
     * and there is a `conflict`. Returns false if nothing was undone.
     */
    undo(): boolean;
    /** Calls `listener` with the value now, if there is one, and after each change: a Svelte store. */
    subscribe(listener: (value: T) => void): () => void;
    /**
     * Ends the use of the document. The document ends with the last of its uses: when `close` was called as often as
     * `document`, and `unsubscribe` as often as `subscribe` of the same channel. Updates that the server does not have
     * yet are lost.
     */
    close(): void;
}
