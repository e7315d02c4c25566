import { type AnyClient, type ChannelOptions, type ChannelStore, type ChannelView, type ConnectionView, type DocumentClient, type DocumentStore, type DocumentView, type PresenceStore, type PresenceView } from './stores.js';
import type { SubscribeOptions } from './index.js';
/** The state of the connection. */
export declare function useConnection(client: AnyClient): ConnectionView;
/** The newest messages of a channel, and a function that publishes. The channel is subscribed while the component is there. */
export declare function useChannel<T = unknown>(client: AnyClient, channel: string, options?: ChannelOptions): ChannelView<T> & Pick<ChannelStore<T>, 'publish'>;
/** The members of a channel. The channel is subscribed while the component is there. */
export declare function usePresence(client: AnyClient, channel: string, options?: SubscribeOptions): PresenceView & Pick<PresenceStore, 'update'>;
/** A document, and functions that change it. It is open while the component is there. */
export declare function useDocument<T = any>(client: DocumentClient, channel: string, options?: SubscribeOptions): DocumentView<T> & Pick<DocumentStore<T>, 'update' | 'undo'>;
