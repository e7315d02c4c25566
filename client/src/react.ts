import { useMemo, useSyncExternalStore } from 'react';
import {
  channelStore,
  connectionStore,
  documentStore,
  presenceStore,
  type AnyClient,
  type ChannelOptions,
  type ChannelStore,
  type ChannelView,
  type ConnectionView,
  type DocumentClient,
  type DocumentStore,
  type DocumentView,
  type PresenceStore,
  type PresenceView,
  type Store,
} from './stores.js';
import type { SubscribeOptions } from './index.js';

// A component reads the options when it mounts, and when the client or the channel changes.

function useStore<T, S extends Store<T>>(make: () => S, client: unknown, channel?: string): [T, S] {
  const store = useMemo(make, [client, channel]);
  return [useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot), store];
}

/** The state of the connection. */
export function useConnection(client: AnyClient): ConnectionView {
  return useStore<ConnectionView, Store<ConnectionView>>(() => connectionStore(client), client)[0];
}

/** The newest messages of a channel, and a function that publishes. The channel is subscribed while the component is there. */
export function useChannel<T = unknown>(
  client: AnyClient,
  channel: string,
  options?: ChannelOptions,
): ChannelView<T> & Pick<ChannelStore<T>, 'publish'> {
  const [view, { publish }] = useStore<ChannelView<T>, ChannelStore<T>>(() => channelStore(client, channel, options), client, channel);
  return { ...view, publish };
}

/** The members of a channel. The channel is subscribed while the component is there. */
export function usePresence(
  client: AnyClient,
  channel: string,
  options?: SubscribeOptions,
): PresenceView & Pick<PresenceStore, 'update'> {
  const [view, { update }] = useStore<PresenceView, PresenceStore>(() => presenceStore(client, channel, options), client, channel);
  return { ...view, update };
}

/** A document, and functions that change it. It is open while the component is there. */
export function useDocument<T = any>(
  client: DocumentClient,
  channel: string,
  options?: SubscribeOptions,
): DocumentView<T> & Pick<DocumentStore<T>, 'update' | 'undo'> {
  const [view, { update, undo }] = useStore<DocumentView<T>, DocumentStore<T>>(() => documentStore(client, channel, options), client, channel);
  return { ...view, update, undo };
}
