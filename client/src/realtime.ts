import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { RealtimeError } from './error.js';
import { messageOf, type Ack, type HistoryOptions, type HistoryPage, type Limits, type PublishOptions } from './message.js';
import type { Http } from './http.js';
import type { Options } from './options.js';
import { errorOf, Outbox, type Entry } from './outbox.js';
import { positionOf } from './position.js';
import { ready } from './ready.js';
import { settle } from './settings.js';
import type { State, Status, TransportName } from './state.js';
import { Subscription, type SubscribeOptions } from './subscription.js';
import { later } from './time.js';
import type { Command, Envelope, Payload } from './wire.js';

/** The events of a client. */
export interface RealtimeEvents {
  /** The state of the connection, or a detail of it, has changed. */
  state: Status;
  /** An error that belongs to no promise and ends nothing. */
  error: RealtimeError;
}

/**
 * A client: one connection, and the subscriptions of the page. It reconnects by itself (see
 * `Connection` for its states). Subscriptions and unsent messages survive.
 */
export class Realtime extends Emitter<RealtimeEvents> {
  /** @internal For calls over event streams. */
  readonly _http: Http;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Map<string, Subscription<any>>();
  /** The beginning of this client's keys. It is created with the first key, because some servers have no random numbers while they start. */
  #name: string | undefined;
  readonly #problem = (error: RealtimeError): void => this._emit('error', error);
  #count = 0;
  #greeting: Payload = {};

  /** Creates a client; `connect` connects it. `url` is the path or address of the endpoint. */
  constructor(url?: string | URL, options: Options = {}) {
    super();
    const settings = settle(url, options);
    this._http = settings.sse.http;
    this.#outbox = new Outbox(settings.buffer, settings.dropOldest);
    this.#connection = new Connection(settings, {
      status: (status) => this.#status(status),
      up: () => this.#up(),
      down: () => this.#down(),
      frame: (envelope) => this.#frame(envelope),
      problem: this.#problem,
      channels: () => this.#subscriptions.keys(),
    });
  }

  get state(): State {
    return this.#connection.state;
  }

  /** The transport in use, or the one being tried. */
  get transport(): TransportName | undefined {
    return this.#connection.transport;
  }

  /** The user that the server knows; undefined if the user is anonymous or not known yet. */
  get user(): string | undefined {
    return this.#greeting.user;
  }

  /** The id of the connection. Over a WebSocket it is also the sender of an anonymous client's messages. */
  get connection(): string | undefined {
    return this.#greeting.connection;
  }

  /**
   * Resolves when the client is open; at once if it is. Rejects with a {@link RealtimeError} when it closes.
   * A client that is not connected waits for `connect`.
   */
  ready(): Promise<void> {
    return ready(this, { state: this.state === 'open' ? 'open' : '' }, 'open', 'closed');
  }

  /** Connects. Also reopens a closed client. Does nothing on a server without a full address. */
  connect(): this {
    this.#connection.start();
    return this;
  }

  /** Closes the client. Rejects what waits to be sent. Subscriptions wait for `connect`. */
  close(): void {
    this.#connection.stop(new RealtimeError(1000, 'closed'));
  }

  /**
   * Subscribes to a channel. A second call returns the same subscription, and ignores its options. The subscription
   * ends when `unsubscribe` was called as often as `subscribe`. `T` is the type of contents. `E` has the types of
   * contents by the names of events.
   */
  subscribe<T = unknown, E extends object = Record<string, T>>(channel: string, options: SubscribeOptions = {}): Subscription<T, E> {
    let subscription = this.#subscriptions.get(channel);
    if (subscription) subscription._users++;
    else {
      subscription = new Subscription<any>(this, channel, options);
      this.#subscriptions.set(channel, subscription);
      if (this.state === 'open') subscription._up();
    }
    return subscription as Subscription<any> as Subscription<T, E>;
  }

  /** Publishes to a channel, with or without a subscription. Waits for a connection. Rejects with a {@link RealtimeError}. */
  async publish(channel: string, content: unknown, { timeout, signal, ...options }: PublishOptions = {}): Promise<Ack> {
    const payload = { channel, content, ...options };
    const limits = { timeout, signal } as Limits;
    if (!options.volatile) return { ...(await this.#request('message', { ...payload, key: this._key() }, limits)), channel };
    if (this.state === 'open') this.#connection.send({ type: 'message', payload });
    return { channel };
  }

  /** Asks for a channel's kept messages. Rejects with a {@link RealtimeError}. */
  async history<T = unknown>(channel: string, { since, limit, ...limits }: HistoryOptions = {}): Promise<HistoryPage<T>> {
    const page = await this.#request('history', { channel, since, limit }, limits);
    return {
      messages: (page.messages ?? []).map((wire) => messageOf<T>(channel, wire)),
      position: positionOf(page),
      lost: !!page.lost,
      more: !!page.more,
    };
  }

  // For subscriptions, see Host.

  /** @internal */
  _command(type: string, payload: Command['payload'], fail = this.#problem, done?: Entry['done'], counted?: boolean): number {
    const id = ++this.#count;
    this.#outbox.add({ command: { type, id, payload }, fail, done }, !counted);
    return id;
  }

  /** @internal */
  _key(): string {
    this.#name ??= [...crypto.getRandomValues(new Uint32Array(3))].map((n) => n.toString(36)).join('');
    return `${this.#name}-${++this.#count}`;
  }

  /** @internal */
  _ended(subscription: Subscription<any>, said: boolean): void {
    const { channel } = subscription;
    if (this.#subscriptions.get(channel) !== subscription) return;
    this.#subscriptions.delete(channel);
    if (!said && this.state === 'open') this._command('unsubscribe', { channel }, () => {});
  }

  #request(type: string, payload: Command['payload'], { timeout, signal }: Limits): Promise<Payload> {
    const over = new AbortController();
    return new Promise<Payload>((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.state === 'closed') throw new RealtimeError('CLOSED', 'closed');
      const id = this._command(type, payload, reject, (answer) => resolve(answer.payload), true);
      const giveUp = (reason: unknown): void => {
        this.#outbox.forget(id);
        reject(reason);
      };
      signal?.addEventListener('abort', () => giveUp(signal.reason), over);
      if (timeout === undefined) return;
      const timer = later(() => giveUp(new RealtimeError(408, 'no answer in time')), timeout);
      over.signal.onabort = () => clearTimeout(timer);
    }).finally(() => over.abort());
  }

  #status(status: Status): void {
    if (status.state === 'closed') {
      const reason = status.reason!;
      this.#outbox.fail(new RealtimeError('CLOSED', reason.message));
      for (const subscription of this.#subscriptions.values()) subscription._down(reason);
    }
    this._emit('state', status);
  }

  #up(): void {
    for (const subscription of this.#subscriptions.values()) subscription._up();
    this.#outbox.up((command) => this.#connection.send(command));
  }

  #down(): void {
    this.#outbox.down();
    for (const subscription of this.#subscriptions.values()) subscription._down();
  }

  #frame(envelope: Envelope): void {
    const { type, payload } = envelope;
    if (type === 'connected') this.#greeting = payload;
    if (type === 'authenticated') this.#greeting = { ...this.#greeting, ...payload };
    const awaited = this.#outbox.settle(envelope);
    if (payload.channel !== undefined) this.#subscriptions.get(payload.channel)?._receive(envelope);
    else if (type === 'error' && !awaited) this._emit('error', errorOf(payload));
  }
}

/** Creates a client and connects it. */
export function connect(url?: string | URL, options?: Options): Realtime {
  return new Realtime(url, options).connect();
}
