import { RealtimeError } from './error.js';
import { problem, type Http } from './http.js';
import { pathOf, Requests } from './requests.js';
import { backoff, passes } from './retry.js';
import type { OpenStream } from './streams.js';
import { lost, type Ending, type Listener, type Transport } from './transport.js';
import { later, waitOf, type Timer } from './time.js';
import { parse, type Command, type Envelope, type Payload } from './wire.js';

/** What the transport needs. This object outlives a single connection. */
export interface StreamContext {
  readonly http: Http;
  readonly open: OpenStream;
  /** True if `open` reports the server's heartbeats. */
  readonly audible: boolean;
  /** The id of the last event. The server continues all channels from it. */
  cursor?: string;
}

/** How long changes of the set of channels are collected before a new stream is opened. */
const collect = 20;
/** The statuses with which a server or a proxy says that the address is too long. */
const tooLong: readonly unknown[] = [414, 431];

/**
 * The transport of Server-Sent Events. One stream brings the messages of all channels, and
 * commands become requests of the HTTP API. For the state machine it looks like a WebSocket.
 */
export class StreamTransport implements Transport {
  readonly name = 'sse';
  readonly #context: StreamContext;
  readonly #listener: Listener;
  readonly #requests: Requests;
  readonly #channels: Set<string>;
  /** What the page says about itself, by channel. The server forgets it with the stream. */
  readonly #looks = new Map<string, object>();
  /** Sends everything in `#looks` again. */
  #again: Timer | undefined;
  #stop: (() => void) | undefined;
  #timer: Timer | undefined;
  /** The time limit for the start of the stream. */
  #deadline: Timer | undefined;
  /** The wait that the server asked for. */
  #retry: number | undefined;
  #closed = false;

  constructor(context: StreamContext, channels: Iterable<string>, listener: Listener) {
    this.#context = context;
    this.#listener = listener;
    this.#channels = new Set(channels);
    this.#requests = new Requests(context.http, (envelope) => this.#reply(envelope));
    this.#stream();
  }

  get audible(): boolean {
    return this.#context.audible;
  }

  send(command: Command): void {
    const { type, id, payload } = command;
    const { status, info } = payload;
    const channel = payload.channel!;
    // Without the fields that are undefined.
    const look = JSON.parse(JSON.stringify({ status, info }));
    const says = status ?? info;
    if (says) this.#looks.set(channel, { ...this.#looks.get(channel), ...look });
    if (type === 'subscribe' || type === 'unsubscribe') {
      this.#change(type === 'subscribe', channel);
      // One filter would hold for all channels of the stream.
      if (payload['filter']) this.#refuse([channel], new RealtimeError('UNSUPPORTED', 'needs WebSocket'));
    } else if (type === 'presence' && says) {
      this.#update(channel, look, type);
    } else {
      if (type !== 'ping') this.#requests.send(command);
      return;
    }
    // The result arrives as an event of the stream. The command itself is done.
    queueMicrotask(() => this.#closed || this.#listener.frame({ type: 'ack', id: id!, payload: {} }));
  }

  /**
   * Sends what the page says about itself in a channel, if there is a stream. Else the next stream
   * does. `id` is empty if an error is not for the page.
   */
  #update(channel: string, look = this.#looks.get(channel), id = ''): void {
    if (look && this.#requests.proof) this.#requests.send({ type: 'look', id, payload: { channel, ...look } });
  }

  #reply(envelope: Envelope): void {
    const { type, id, payload } = envelope;
    const { code } = payload;
    if (typeof id !== 'string') return this.#listener.frame(envelope);
    if (type !== 'error') return;
    if (passes(code!)) {
      clearTimeout(this.#again);
      this.#again = later(() => {
        for (const channel of this.#looks.keys()) this.#update(channel);
      }, Math.max(payload.retryAfter ?? 0, backoff(3, 1000, 30_000)));
    } else if (id && code !== 'NOT_SUBSCRIBED') {
      // After NOT_SUBSCRIBED the stream is over, and the next one brings the update.
      this.#listener.frame({ type, payload });
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    clearTimeout(this.#deadline);
    this.#stop?.();
    this.#requests.close();
  }

  /** Adds or removes a channel. That needs a new stream. */
  #change(add: boolean, channel: string): void {
    if (this.#channels.has(channel) === add) return;
    if (add) this.#channels.add(channel);
    else {
      this.#channels.delete(channel);
      this.#looks.delete(channel);
    }
    this.#timer ??= later(() => this.#stream(), collect);
  }

  /**
   * Opens the stream in place of the old one. If both were open, messages of channels without
   * history would come twice. In the other channels the cursor recovers the messages that come
   * between the two streams.
   */
  #stream(): void {
    this.#timer = undefined;
    this.#stop?.();
    const { http, open, cursor } = this.#context;
    clearTimeout(this.#deadline);
    this.#deadline = later(() => this.#over(lost('no answer in time')), http.timeout);
    const query: [string, unknown][] = [...this.#channels].map((channel) => ['channel', channel]);
    this.#stop = open(http, http.url('', [...query, ['lastEventID', cursor]]), {
      heard: () => this.#listener.heard(),
      event: (data) => this.#event(data),
      cursor: (id) => void (this.#context.cursor = id),
      retry: (ms) => void (this.#retry = waitOf(ms)),
      end: (ending) => void this.#end(ending),
    });
  }

  #event(data: string): void {
    const envelope = parse(data);
    if (!envelope) return;
    const { type, payload } = envelope;
    // An earlier wait belongs to a stream that was rejected.
    if (type === 'connected') {
      this.#retry = undefined;
      this.#requests.proof = payload.secret;
      clearTimeout(this.#deadline);
    }
    if (type === 'close') return this.#told(payload);
    this.#listener.frame(envelope);
    if (type === 'subscribed') this.#update(payload.channel!);
  }

  /** The stream's counterpart of a close frame. */
  #told({ code, reason, reconnect }: Payload): void {
    this.#over({ error: new RealtimeError((code as number) ?? 1006, reason ?? 'stream ended'), retry: !!reconnect });
  }

  async #end(ending: Ending): Promise<void> {
    clearTimeout(this.#deadline);
    const { code } = ending.error;
    if (!this.#channels.size && code === 'INVALID_CHANNEL') {
      // There is nothing to stream yet, but this answer shows that the server is there.
      return this.#listener.frame({ type: 'connected', payload: { heartbeat: 0 } });
    }
    if (tooLong.includes(code)) return this.#shorten();
    const guilty = ending.retry ? [] : await this.#blame(ending.error).catch(() => []);
    if (this.#closed) return;
    if (!guilty.length) return this.#over(ending);
    this.#refuse(guilty, ending.error);
  }

  /** Continues without some of the channels. */
  #refuse(channels: string[], { code, message }: RealtimeError): void {
    for (const channel of channels) {
      this.#change(false, channel);
      this.#listener.frame({ type: 'unsubscribed', payload: { channel, code, message } });
    }
  }

  /**
   * Makes the address shorter: first without the cursor, which may mean gaps, then without
   * the newest channels, one by one.
   */
  #shorten(): void {
    const { cursor } = this.#context;
    delete this.#context.cursor;
    if (cursor) return this.#stream();
    this.#refuse([...this.#channels].slice(-1), new RealtimeError('TOO_LARGE', 'address too long'));
  }

  #over(ending: Ending): void {
    this.close();
    this.#listener.end({ ...ending, after: ending.after ?? this.#retry });
  }

  /**
   * Finds the channels because of which the server rejected a stream. It rejects the whole stream
   * for one forbidden channel. Without that channel the others continue, as over a WebSocket. Only
   * callers that may subscribe may read the history, so a request for the history finds it.
   */
  async #blame({ code }: RealtimeError): Promise<string[]> {
    const { http } = this.#context;
    const channels = [...this.#channels];
    if (code === 'LIMIT_EXCEEDED') return channels.slice(-1);
    if (code !== 'FORBIDDEN' && code !== 'INVALID_CHANNEL' && (code !== 'UNAUTHORIZED' || http.token)) return [];
    if (channels.length === 1) return channels;
    const refused = await Promise.all(
      channels.map(async (channel) => {
        const answer = await http.ask(http.url(pathOf(channel), [['limit', 0]]));
        return !answer.response.ok && problem(answer).code === code;
      }),
    );
    return channels.filter((_, i) => refused[i]);
  }
}
