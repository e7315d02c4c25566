// Stores as Svelte reads them with `$`. They need no code of Svelte, and work with versions 3 to 5.
import {
  channelStore,
  connectionStore,
  documentStore,
  presenceStore,
  type AnyClient,
  type ChannelOptions,
  type ChannelStore,
  type ConnectionView,
  type DocumentClient,
  type DocumentStore,
  type PresenceStore,
  type Store,
} from './stores.js';
import type { SubscribeOptions } from './index.js';

/** The state of the connection. */
export function useConnection(client: AnyClient): Store<ConnectionView> {
  return connectionStore(client);
}

/** A store of a channel, with `publish`. The channel is subscribed while a component uses the store. */
export function useChannel<T = unknown>(client: AnyClient, channel: string, options?: ChannelOptions): ChannelStore<T> {
  return channelStore(client, channel, options);
}

/** A store of the members of a channel, with `update`. The channel is subscribed while a component uses the store. */
export function usePresence(client: AnyClient, channel: string, options?: SubscribeOptions): PresenceStore {
  return presenceStore(client, channel, options);
}

/** A store of a document, with `update` and `undo`. The document is open while a component uses the store. */
export function useDocument<T = any>(client: DocumentClient, channel: string, options?: SubscribeOptions): DocumentStore<T> {
  return documentStore(client, channel, options);
}
