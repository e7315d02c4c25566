import { backoff, passes } from './retry.js';
import { Emitter } from './emitter.js';
import type { RealtimeError } from './error.js';
import type { Host } from './host.js';
import {
  messageOf,
  type Ack,
  type Gap,
  type HistoryOptions,
  type HistoryPage,
  type Message,
  type PublishOptions,
} from './message.js';
import { errorOf } from './outbox.js';
import { advance, missed, positionOf, same, type Position } from './position.js';
import { Presence, type Appearance } from './presence.js';
import { ready } from './ready.js';
import type { Envelope, WireMessage } from './wire.js';
import { later, type Timer } from './time.js';

export interface SubscribeOptions extends Appearance {
  /** How many of the newest messages to start with, at most 1,000. Default: 0. */
  history?: number;
  /** The position to continue from, for example that of an earlier visit. Default: only new messages. */
  recover?: Position;
  /**
   * Which messages to get: an expression in CEL over `tags`, `event`, `sender` and `content`. It
   * needs WebSocket. Default: all messages.
   */
  filter?: string;
}

export type SubscriptionState = 'subscribing' | 'subscribed' | 'unsubscribed';

/** The events of messages that have a name, with the types of their contents: `event:typing` for the name `typing`. */
export type Named<E extends object> = {
  readonly [K in keyof E & string as `event:${K}`]: Message<E[K]>;
};

/** The events of a subscription. */
export interface SubscriptionEvents<T> {
  /** Each message once, in order. */
  message: Message<T>;
  /** Messages may have been lost. */
  gap: Gap;
  /** `error` says why the subscription ended, if the page did not end it. */
  state: { readonly state: SubscriptionState; readonly error: RealtimeError | undefined };
  /** The server's frames about the subscription, unchanged. @internal */
  frame: Envelope;
}

/**
 * A channel that the page listens to. It outlives connections: on each new one the client
 * subscribes again and recovers missed messages, or there is a `gap`. States:
 *
 * - `subscribing`: waits for a connection, or for the server's answer.
 * - `subscribed`: messages flow.
 * - `unsubscribed`: the page or the server ended it, or the client is closed. After a close it
 *   continues when the client connects again.
 */
export class Subscription<T = unknown, E extends object = Record<string, T>>
  extends Emitter<SubscriptionEvents<T> & Named<E>>
  implements AsyncIterable<Message<T>>
{
  readonly channel: string;
  /** The members of the channel. */
  readonly presence: Presence;
  /** How often the page has subscribed. @internal */
  _users = 1;
  readonly #host: Host;
  readonly #options: SubscribeOptions;
  #state: SubscriptionState = 'subscribing';
  #position: Position | undefined;
  /** True if the channel was subscribed before, so that messages may have been missed. */
  #begun = false;
  /** The id of the command whose answer the subscription waits for. */
  #asked: number | undefined;
  #attempt = 0;
  #retry: Timer | undefined;
  /** The end of the last gap that the page was notified of. An event stream sends a gap twice. */
  #told: Position | undefined;
  /** Frames that wait for older messages. */
  #held: Envelope[] | undefined;

  /** @internal */
  constructor(host: Host, channel: string, options: SubscribeOptions) {
    super();
    this.#host = host;
    this.channel = channel;
    this.#options = { ...options };
    this.#position = options.recover;
    this.presence = new Presence((appearance) => this.#appear(appearance));
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** The position of the last delivered message; undefined in channels without history. Keep it to recover after a reload. */
  get position(): Position | undefined {
    return this.#position;
  }

  /**
   * Resolves when messages flow; at once if they do. Rejects with a {@link RealtimeError} when the subscription
   * ends, or if it has ended.
   */
  ready(): Promise<void> {
    return ready(this, { state: this.#state }, 'subscribed', 'unsubscribed');
  }

  /** Publishes to the channel. Waits for a connection if there is none. Rejects with a {@link RealtimeError}. */
  publish(content: unknown, options?: PublishOptions): Promise<Ack> {
    return this.#host.publish(this.channel, content, options);
  }

  /** Asks for kept messages. Rejects with a {@link RealtimeError}. */
  history(options?: HistoryOptions): Promise<HistoryPage<T>> {
    return this.#host.history(this.channel, options);
  }

  /**
   * Ends the subscription when it was called as often as `subscribe`. Listeners get one more event, the change of
   * state. A part of the page that no longer needs the channel must remove its own listeners.
   */
  unsubscribe(): void {
    if (--this._users <= 0) this.#end(false);
  }

  /** Returns the messages until the subscription ends. Messages that arrive while one is handled wait in memory. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message<T>, void, void> {
    const queue: Message<T>[] = [];
    let wake = (): void => {};
    const off = [this.on('message', (message) => (queue.push(message), wake())), this.on('state', () => wake())];
    try {
      while (queue.length || this.#state !== 'unsubscribed') {
        if (queue.length) yield queue.shift()!;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      for (const f of off) f();
    }
  }

  /** Subscribes on a new connection. @internal */
  _up(): void {
    const { status, info, history, filter } = this.#options;
    const recover = this.#position;
    this.#change('subscribing');
    this.#asked = this.#host._command(
      'subscribe',
      { channel: this.channel, recover, history: this.#first ? history : undefined, filter, status, info },
      (error) => this.#refused(error),
    );
  }

  /** Handles the end of the connection. With a reason, the client does not connect again. @internal */
  _down(reason?: RealtimeError): void {
    clearTimeout(this.#retry);
    this.#asked = undefined;
    this.#change(reason ? 'unsubscribed' : 'subscribing', reason);
  }

  /** Handles a frame about the channel. @internal */
  _receive(envelope: Envelope): void {
    const { type, id, payload, timestamp } = envelope;
    if (type === 'unsubscribed') {
      // A frame with an id answers an earlier command.
      if (id === undefined) this.#end(true, errorOf(payload));
    } else if (this.#held) {
      this.#held.push(envelope);
    } else if (type === 'subscribed') {
      if (id === undefined || id === this.#asked) this.#subscribed(envelope);
    } else if (this.#state === 'subscribed') {
        // A frame before the answer belongs to an earlier subscription.
      if (type === 'message') this.#deliver(payload, timestamp);
      else if (type === 'gap') this.#gap(envelope);
      else if (type === 'position') this.#position = positionOf(payload);
      else if (type === 'presence') this.presence._receive(payload);
    }
    if (this.#state === 'subscribed' && (!this.#held || type === 'subscribed')) this.#tell('frame', envelope);
  }

  /** Reports whether no frame of the channel has arrived yet, and there is nothing to recover. */
  get #first(): boolean {
    return !this.#begun && !this.#position;
  }

  #subscribed({ payload }: Envelope): void {
    const first = this.#first;
    const from = this.#position;
    const to = positionOf(payload);
    const gap = !first && missed(from, payload);
    this.#begun = true;
    this.#attempt = 0;
    this.#told = payload.recovered === false ? to : undefined;
    this.presence._expect();
    if (gap) this.#position = to;
    this.#change('subscribed');
    if (gap) this.#tell('gap', { channel: this.channel, position: to });
    if (first && to?.offset && this.#options.history && !payload.messages) return this.#begin(to);
    for (const message of payload.messages ?? []) this.#deliver(message);
    if (first || !from) this.#position = to;
  }

  /** Fetches the first messages, if the stream could not ask for them. */
  #begin(to: Position): void {
    this.#position = to;
    const held: Envelope[] = (this.#held = []);
    const release = (messages: readonly Message<T>[]): void => {
      if (this.#state === 'unsubscribed') return;
      for (const message of messages) if (message.offset! <= to.offset) this.#show(message);
      const late = this.#held ?? held;
      this.#held = undefined;
      for (const envelope of late) this._receive(envelope);
    };
    this.history({ limit: this.#options.history! }).then(
      ({ messages }) => release(messages),
      () => release([]),
    );
  }

  #deliver(wire: WireMessage, timestamp?: number): void {
    if (this.#state !== 'subscribed') return;
    if (this.#position) {
      const next = advance(this.#position, wire);
      if (!next) return;
      this.#position = next;
    }
    this.#show(messageOf(this.channel, wire, timestamp));
  }

  #show(message: Message<T>): void {
    this.#tell('message', message);
    if (message.event !== undefined) this.#tell(`event:${message.event}`, message);
  }

  #tell(name: string, event: unknown): void {
    (this as Emitter<any>)._emit(name, event);
  }

  #gap({ payload }: Envelope): void {
    const to = positionOf(payload);
    this.#position = to ?? this.#position;
    if (!to || !same(to, this.#told)) this.#tell('gap', { channel: this.channel, position: to });
  }

  #refused(error: RealtimeError): void {
    this.#asked = undefined;
    if (!passes(error.code)) return this.#end(true, error);
    const wait = Math.max(error.retryAfter ?? 0, backoff(this.#attempt++, 1000, 30_000));
    this.#retry = later(() => this._up(), wait);
  }

  #appear({ status, info }: Appearance): void {
    if (status !== undefined) this.#options.status = status;
    if (info !== undefined) this.#options.info = info;
    // It follows a `subscribe` that was sent already, with the older values.
    if (this.#asked && this.#state !== 'unsubscribed') this.#host._command('presence', { channel: this.channel, status, info });
  }

  #end(said: boolean, error?: RealtimeError): void {
    if (this.#state === 'unsubscribed' && said) return;
    clearTimeout(this.#retry);
    this.presence._clear();
    this.#host._ended(this as Subscription<any>, said);
    this.#change('unsubscribed', error);
  }

  #change(state: SubscriptionState, error?: RealtimeError): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#tell('state', { state, error });
  }
}
