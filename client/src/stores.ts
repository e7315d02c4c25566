// Stores for frameworks. They use the client that they are given, and need no code of it.
import type { Ack, Member, Message, PublishOptions, RealtimeError, SubscribeOptions, Subscription, SubscriptionState } from './index.js';
import type { Appearance, Emitter, Realtime, RealtimeEvents, State, Status, TransportName } from './index.js';
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
export class Store<T> {
  readonly #open: (set: (value: T) => void) => () => void;
  readonly #listeners = new Set<(value: T) => void>();
  #value: T;
  #close: (() => void) | undefined;

  /** @internal */
  constructor(initial: T, open: (set: (value: T) => void) => () => void) {
    this.#value = initial;
    this.#open = open;
  }

  /** Calls the listener with the value now and after each change. Returns a function that stops it. */
  readonly subscribe = (listener: (value: T) => void): (() => void) => {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    this.#close ??= this.#open((value) => {
      this.#value = value;
      for (const each of [...this.#listeners]) each(value);
    });
    listener(this.#value);
    return () => {
      this.#listeners.delete(own);
      // It waits a moment, because frameworks remove a listener and add it again.
      queueMicrotask(() => {
        if (this.#listeners.size) return;
        this.#close?.();
        this.#close = undefined;
      });
    };
  };

  /** The value. It is the same object until it changes. */
  readonly getSnapshot = (): T => this.#value;
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
export function connectionStore(client: AnyClient): Store<ConnectionView> {
  const view = ({ reason, retryIn }: Partial<Status>): ConnectionView => {
    const { state, transport, user } = client;
    return { state, transport, user, reason, retryIn };
  };
  const first = { state: 'closed', transport: undefined, user: undefined, reason: undefined, retryIn: undefined } as const;
  return new Store<ConnectionView>(first, (set) => {
    set(view({}));
    return client.on('state', (status) => set(view(status)));
  });
}

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
export function channelStore<T = unknown>(client: AnyClient, channel: string, { keep = 100, ...options }: ChannelOptions = {}): ChannelStore<T> {
  let view: ChannelView<T> = { state: 'subscribing', error: undefined, messages: [], gaps: 0, subscription: undefined };
  const store = new Store<ChannelView<T>>(view, (set) => {
    const subscription = client.subscribe<T>(channel, options);
    let open = true;
    const change = (news: Partial<ChannelView<T>>): void => set((view = { ...view, ...news }));
    change({ state: subscription.state, error: undefined, messages: [], subscription });
    // Another part of the page has subscribed already, and has received the first messages.
    if (options.history && subscription.state === 'subscribed')
      subscription.history({ limit: options.history }).then(
        ({ messages: old }) => {
          if (!open) return;
          const first = view.messages.find(({ offset }) => offset !== undefined)?.offset ?? Infinity;
          change({ messages: [...old.filter(({ offset }) => offset! < first), ...view.messages].slice(-keep) });
        },
        () => {},
      );
    const off = [
      subscription.on('message', (message) => change({ messages: [...view.messages, message].slice(-keep) })),
      subscription.on('gap', () => change({ gaps: view.gaps + 1 })),
      subscription.on('state', ({ state, error }) => change({ state, error })),
    ];
    return () => {
      open = false;
      leave(subscription, off);
    };
  });
  const publish = (content: unknown, more?: PublishOptions): Promise<Ack> => client.publish(channel, content, more);
  return Object.assign(store, { publish });
}

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
export function presenceStore(client: AnyClient, channel: string, options: SubscribeOptions = {}): PresenceStore {
  let subscription: Subscription | undefined;
  const store = new Store<PresenceView>({ members: [], count: 0 }, (set) => {
    const own = (subscription = client.subscribe(channel, options));
    const { presence } = own;
    if (options.status !== undefined || options.info !== undefined) presence.update(options);
    const change = (): void => set({ members: [...presence.members.values()], count: presence.count });
    change();
    const off = [
      // One event for a frame, however many members it changes.
      (own as Emitter<{ frame: { type: string } }>).on('frame', ({ type }) => type === 'presence' && change()),
      own.on('state', ({ state }) => state === 'unsubscribed' && change()),
    ];
    return () => {
      subscription = undefined;
      leave(own, off);
    };
  });
  return Object.assign(store, { update: (appearance: Appearance) => subscription?.presence.update(appearance) });
}

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
export function documentStore<T = any>(client: DocumentClient, channel: string, options: SubscribeOptions = {}): DocumentStore<T> {
  let document: SharedDocument<T> | undefined;
  const view: DocumentView<T> = { value: undefined, status: 'loading', pending: 0, canUndo: false, error: undefined };
  const store = new Store<DocumentView<T>>(view, (set) => {
    const own = (document = client.document<T>(channel, options));
    const change = (error?: RealtimeError): void => {
      const { value, status, pending, canUndo } = own;
      set({ value, status, pending, canUndo, error });
    };
    change();
    const off = [own.on('change', () => change()), own.on('status', ({ error }) => change(error))];
    return () => {
      document = undefined;
      for (const stop of off) stop();
      own.close();
    };
  });
  return Object.assign(store, {
    update: async (recipe: Recipe<T> | Patch): Promise<boolean> => {
      if (!document) throw new Error('no document yet');
      return document.update(recipe);
    },
    undo: (): boolean => !!document?.undo(),
  });
}

function leave(subscription: Subscription<any>, off: readonly (() => void)[]): void {
  for (const stop of off) stop();
  subscription.unsubscribe();
}
