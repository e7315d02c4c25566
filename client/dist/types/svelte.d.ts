import { type AnyClient, type ChannelOptions, type ChannelStore, type ConnectionView, type DocumentClient, type DocumentStore, type PresenceStore, type Store } from './stores.js';
import type { SubscribeOptions } from './index.js';
/** The state of the connection. */
export declare function useConnection(client: AnyClient): Store<ConnectionView>;
/** A store of a channel, with `publish`. The channel is subscribed while a component uses the store. */
export declare function useChannel<T = unknown>(client: AnyClient, channel: string, options?: ChannelOptions): ChannelStore<T>;
/** A store of the members of a channel, with `update`. The channel is subscribed while a component uses the store. */
export declare function usePresence(client: AnyClient, channel: string, options?: SubscribeOptions): PresenceStore;
/** A store of a document, with `update` and `undo`. The document is open while a component uses the store. */
export declare function useDocument<T = any>(client: DocumentClient, channel: string, options?: SubscribeOptions): DocumentStore<T>;
