import { type MaybeRefOrGetter, type ShallowRef } from 'vue';
import { type AnyClient, type ChannelOptions, type ChannelStore, type ChannelView, type ConnectionView, type DocumentClient, type DocumentStore, type DocumentView, type PresenceStore, type PresenceView } from './stores.js';
import type { SubscribeOptions } from './index.js';
/** A ref that is read only. */
type View<T> = Readonly<ShallowRef<T>>;
/** The state of the connection. */
export declare function useConnection(client: AnyClient): View<ConnectionView>;
/** The newest messages of a channel, and a function that publishes. The channel is subscribed while the component is there. */
export declare function useChannel<T = unknown>(client: AnyClient, channel: MaybeRefOrGetter<string>, options?: ChannelOptions): {
    channel: View<ChannelView<T>>;
    publish: ChannelStore<T>['publish'];
};
/** The members of a channel. The channel is subscribed while the component is there. */
export declare function usePresence(client: AnyClient, channel: MaybeRefOrGetter<string>, options?: SubscribeOptions): {
    presence: View<PresenceView>;
    update: PresenceStore['update'];
};
/** A document, and functions that change it. It is open while the component is there. */
export declare function useDocument<T = any>(client: DocumentClient, channel: MaybeRefOrGetter<string>, options?: SubscribeOptions): {
    document: View<DocumentView<T>>;
    update: DocumentStore<T>['update'];
    undo: DocumentStore<T>['undo'];
};
export {};
