import type { Ack, Member, Message, PublishOptions, RealtimeError, SubscribeOptions, Subscription, SubscriptionState } from './index.js';
import type { Appearance, Emitter, Realtime, RealtimeEvents, State, TransportName } from './index.js';
import type { DocumentStatus, Patch, Recipe, SharedDocument } from './documents.js';
/** What stores need from a client. */
export type AnyClient = Emitter<RealtimeEvents> & Pick<Realtime, 'state' | 'transport' | 'user' | 'connection' | 'subscribe' | 'publish'>;
/** What stores need from a client with documents. */
export interface DocumentClient {
    document<T>(channel: string, options?: SubscribeOptions): SharedDocument<T>;
}
/**
 * A value that changes. It opens what it needs with the first listener, and closes it after the last one. Its
 * methods may be passed on as functions: to `useSyncExternalStore` of React, or as a store of Svelte.
 */
export declare class Store<T> {
    #private;
    /** Calls the listener with the value now and after each change. Returns a function that stops it. */
    readonly subscribe: (listener: (value: T) => void) => (() => void);
    /** The value. It is the same object until it changes. */
    readonly getSnapshot: () => T;
}
/** What a page shows of a connection. */
export interface ConnectionView {
    readonly state: State;
    /** The transport in use, or the one being tried. */
    readonly transport: TransportName | undefined;
    /** The user that the server knows; undefined if the user is anonymous or not known yet. */
    readonly user: string | undefined;
    /** Why the connection is not open. */
    readonly reason: RealtimeError | undefined;
    /** The time until the next try, in milliseconds; undefined while a try is in progress, or if none is planned. */
    readonly retryIn: number | undefined;
}
/** Returns a store of the state of a client. It does not connect the client. */
export declare function connectionStore(client: AnyClient): Store<ConnectionView>;
export interface ChannelOptions extends SubscribeOptions {
    /** How many of the newest messages the store keeps. Default: 100. */
    keep?: number;
}
/** What a page shows of a channel. */
export interface ChannelView<T> {
    readonly state: SubscriptionState;
    /** Why the server ended the subscription. */
    readonly error: RealtimeError | undefined;
    /** The newest messages, oldest first. */
    readonly messages: readonly Message<T>[];
    /** How often messages may have been lost. When it grows, load again what the page builds from messages. */
    readonly gaps: number;
    /** The subscription, for listeners of the page's own; undefined while the store has no listener. */
    readonly subscription: Subscription<T> | undefined;
}
/** A store of a channel, which publishes to it. */
export interface ChannelStore<T> extends Store<ChannelView<T>> {
    /** Publishes to the channel. Rejects with a RealtimeError. */
    publish(content: unknown, options?: PublishOptions): Promise<Ack>;
}
/** Returns a store of a channel. It is subscribed while the store has a listener. */
export declare function channelStore<T = unknown>(client: AnyClient, channel: string, { keep, ...options }?: ChannelOptions): ChannelStore<T>;
/** What a page shows of the members of a channel. */
export interface PresenceView {
    /** The members; in a large room only a part of them. */
    readonly members: readonly Member[];
    /** The number of all members. */
    readonly count: number;
}
/** A store of the members of a channel. */
export interface PresenceStore extends Store<PresenceView> {
    /** Changes what the others see of this client, while the store has a listener. */
    update(appearance: Appearance): void;
}
/** Returns a store of the members of a channel. It is subscribed while the store has a listener. */
export declare function presenceStore(client: AnyClient, channel: string, options?: SubscribeOptions): PresenceStore;
/** What a page shows of a document. */
export interface DocumentView<T> {
    /** The value with the page's own updates; undefined until the document is loaded. */
    readonly value: T | undefined;
    readonly status: DocumentStatus;
    /** How many updates the server does not have yet. */
    readonly pending: number;
    /** True if there is an update to undo. */
    readonly canUndo: boolean;
    /** Why the document is closed. */
    readonly error: RealtimeError | undefined;
}
/** A store of a document, which changes it. */
export interface DocumentStore<T> extends Store<DocumentView<T>> {
    /** Changes the document, as its `update` does. Rejects if there is no document yet. */
    update(change: Recipe<T> | Patch): Promise<boolean>;
    /** Undoes the page's last update, as the document's `undo` does. */
    undo(): boolean;
}
/** Returns a store of a document. It is open while the store has a listener. */
export declare function documentStore<T = any>(client: DocumentClient, channel: string, options?: SubscribeOptions): DocumentStore<T>;
