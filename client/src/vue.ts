import { getCurrentInstance, onMounted, onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from 'vue';
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

/** A ref that is read only. */
type View<T> = Readonly<ShallowRef<T>>;

/** Keeps a ref of the store of a channel, which may change. Ends with the component, or the scope. */
function useStore<T, S extends Store<T>>(channel: MaybeRefOrGetter<string>, make: (channel: string) => S): { view: View<T>; store: () => S } {
  let store = make(toValue(channel));
  const view = shallowRef(store.getSnapshot()) as ShallowRef<T>;
  // A server renders the page once, and nobody ends the scope there.
  if (typeof document === 'undefined') return { view, store: () => store };
  let stop: (() => void) | undefined;
  const start = (): void => {
    stop = store.subscribe((value) => (view.value = value));
  };
  const change = (name: string): void => {
    stop?.();
    store = make(name);
    if (stop) start();
    else view.value = store.getSnapshot();
  };
  watch(() => toValue(channel), change, { flush: 'sync' });
  // A component that takes over the page of a server has to render what the server rendered. So the store
  // opens after the component is mounted. A scope outside of a component has no such moment.
  const component = getCurrentInstance();
  if (component && !component.isMounted) onMounted(start);
  else start();
  onScopeDispose(() => stop?.());
  return { view, store: () => store };
}

/** The state of the connection. */
export function useConnection(client: AnyClient): View<ConnectionView> {
  return useStore<ConnectionView, Store<ConnectionView>>('', () => connectionStore(client)).view;
}

/** The newest messages of a channel, and a function that publishes. The channel is subscribed while the component is there. */
export function useChannel<T = unknown>(
  client: AnyClient,
  channel: MaybeRefOrGetter<string>,
  options?: ChannelOptions,
): { channel: View<ChannelView<T>>; publish: ChannelStore<T>['publish'] } {
  const { view, store } = useStore<ChannelView<T>, ChannelStore<T>>(channel, (name) => channelStore(client, name, options));
  return { channel: view, publish: (content, more) => store().publish(content, more) };
}

/** The members of a channel. The channel is subscribed while the component is there. */
export function usePresence(
  client: AnyClient,
  channel: MaybeRefOrGetter<string>,
  options?: SubscribeOptions,
): { presence: View<PresenceView>; update: PresenceStore['update'] } {
  const { view, store } = useStore<PresenceView, PresenceStore>(channel, (name) => presenceStore(client, name, options));
  return { presence: view, update: (appearance) => store().update(appearance) };
}

/** A document, and functions that change it. It is open while the component is there. */
export function useDocument<T = any>(
  client: DocumentClient,
  channel: MaybeRefOrGetter<string>,
  options?: SubscribeOptions,
): { document: View<DocumentView<T>>; update: DocumentStore<T>['update']; undo: DocumentStore<T>['undo'] } {
  const { view, store } = useStore<DocumentView<T>, DocumentStore<T>>(channel, (name) => documentStore(client, name, options));
  return { document: view, update: (change) => store().update(change), undo: () => store().undo() };
}
