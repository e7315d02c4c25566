import { Emitter, type Subscription } from './core.js';
import type { DocumentEvents, DocumentStatus, Recipe } from './documentevents.js';
import { type Patch } from './patch.js';
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
    /**
     * Takes back the last own update: all of it, or nothing and there is a `conflict`, because others have
     * changed the same since. False: nothing was taken back.
     */
    undo(): boolean;
    /** Calls `listener` with the value now, if there is one, and whenever it changes: a store, as Svelte knows it. */
    subscribe(listener: (value: T) => void): () => void;
    /** Ends it, and the subscription. What the server does not have yet is given up. */
    close(): void;
}
