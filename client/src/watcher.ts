import { problem } from './answer.js';
import { Emitter, RealtimeError, type Client } from './core.js';
import { EventStreamParser } from './eventstream.js';
import { messageOf, type Message } from './message.js';
import { positionOf, type Position } from './position.js';
import { backoff, passes } from './retry.js';
import { later, type Timer } from './time.js';
import { parse, type Envelope } from './wire.js';

export interface WatchOptions {
  /** Which messages to get: an expression in CEL over `tags`, `event`, `sender` and `content`. It holds for all channels and patterns. */
  filter?: string;
  /** How many of the newest messages of each channel to start with, at most 1,000. Default: 0. Patterns have none. */
  history?: number;
}

/** `waiting`: there is no stream, or none yet. `closed`: the page or the server ended it. */
export type WatchState = 'waiting' | 'open' | 'closed';

/** Messages of the channel, or of some channel of the pattern, may have been lost. */
export interface WatchGap {
  readonly channel?: string;
  readonly pattern?: string;
  /** Delivery goes on after this position, in a channel with history. */
  readonly position: Position | undefined;
}

/** The events of a {@link Watch}. */
export interface WatchEvents<T> {
  message: Message<T>;
  gap: WatchGap;
  /** The server ended one channel or pattern. The others continue. */
  unsubscribed: { readonly channel?: string; readonly pattern?: string; readonly error: RealtimeError };
  /** `error` says why there is no stream. */
  state: { readonly state: WatchState; readonly error: RealtimeError | undefined };
}

/** How long a stream must last, in milliseconds, so that earlier failures no longer count. */
const stable = 30_000;

/** How a stream ends. */
interface End {
  readonly error: RealtimeError;
  readonly retry: boolean;
}

/**
 * A watch of channels and patterns. It has an event stream of its own, for two reasons: on the
 * connection of the client a message of a pattern looks like one of a channel, and a stream has
 * one filter for everything.
 *
 * It has a stream only while the client is connected, so that the client handles tokens and the
 * page's life. The stream outlives interruptions of the client's connection.
 */
export class Watch<T = unknown> extends Emitter<WatchEvents<T>> {
  readonly #client: Client;
  readonly #options: WatchOptions;
  readonly #off: () => void;
  readonly #names: Set<string>;
  #state: WatchState = 'waiting';
  /** Ends the stream; undefined if there is none. */
  #abort: AbortController | undefined;
  /** The id of the last event. The server continues the channels from it. */
  #cursor: string | undefined;
  /** The end that the server announced. */
  #said: End | undefined;
  /** The least wait that the server asked for. */
  #wait = 0;
  #attempt = 0;
  #opened = 0;
  /** Starts the next stream. */
  #next: Timer | undefined;
  /** Ends a silent stream after so many milliseconds. */
  #silence: Timer | undefined;
  #patience = 0;

  /** @internal */
  constructor(client: Client, names: readonly string[], options: WatchOptions) {
    super();
    this.#client = client;
    this.#names = new Set(names);
    this.#options = { ...options };
    this.#off = client.on('state', ({ state, previous }) => {
      if (state === 'closed') this.#halt('waiting');
      else if (state === 'open' && previous !== 'open' && !this.#abort) this.#start();
    });
    if (client.state === 'open') this.#start();
  }

  get state(): WatchState {
    return this.#state;
  }

  /** Ends the stream. */
  close(): void {
    this.#finish();
  }

  #start(): void {
    clearTimeout(this.#next);
    const abort = (this.#abort = new AbortController());
    this.#said = undefined;
    this.#opened = 0;
    this.#read(abort.signal)
      .catch((error: unknown): End => {
        if (error instanceof RealtimeError) return { error, retry: this.#passes(error.code) };
        return { error: new RealtimeError(1006, String((error as Error)?.message ?? error)), retry: true };
      })
      .then((end) => {
        if (this.#abort === abort) this.#ended(end);
      });
  }

  /** Reads a stream to its end. */
  async #read(signal: AbortSignal): Promise<End> {
    const http = this.#client._http;
    const { filter, history } = this.#options;
    const names = [...this.#names].map((name): [string, unknown] => [name.includes('*') ? 'pattern' : 'channel', name]);
    const url = http.url('', [...names, ['filter', filter], ['history', history || undefined], ['lastEventID', this.#cursor]]);
    this.#patience = http.timeout;
    this.#heard();
    const response = await http.send(url, { headers: { accept: 'text/event-stream' }, cache: 'no-store', signal });
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream'))
      throw problem(response.status, (await response.json().catch(() => undefined)) ?? {});
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const parser = new EventStreamParser({
      event: (data) => {
        const envelope = parse(data);
        if (envelope && !signal.aborted) this.#receive(envelope);
      },
      cursor: (id) => void (this.#cursor = id),
      retry: (ms) => void (this.#wait = ms),
    });
    for (;;) {
      const { value, done } = await reader.read();
      if (done || signal.aborted) return this.#said ?? { error: new RealtimeError(1006, 'stream ended'), retry: true };
      this.#heard();
      parser.push(decoder.decode(value, { stream: true }));
    }
  }

  #receive({ type, payload, timestamp }: Envelope): void {
    const { channel, pattern, code, message, reason, reconnect } = payload;
    const source = { ...(channel !== undefined && { channel }), ...(pattern !== undefined && { pattern }) };
    if (type === 'connected') {
      // The server sends a comment in each interval.
      this.#patience += payload.heartbeat ?? 0;
      this.#heard();
      this.#wait = 0;
      this.#opened = Date.now();
      this.#change('open');
    } else if (type === 'message') {
      this._emit('message', messageOf<T>(channel!, payload, timestamp));
    } else if (type === 'gap') {
      this._emit('gap', { ...source, position: positionOf(payload) });
    } else if (type === 'unsubscribed') {
      this.#lose(source, new RealtimeError(code!, message ?? String(code)));
    } else if (type === 'close') {
      this.#said = { error: new RealtimeError(code ?? 1006, reason ?? 'stream ended'), retry: !!reconnect };
    }
  }

  /** Removes a name that is no longer on the stream. */
  #lose(source: { channel?: string; pattern?: string }, error: RealtimeError): void {
    // The channels of the pattern belong to another block now. The next stream has them again.
    if (passes(error.code)) return this.#ended({ error, retry: true });
    this.#names.delete((source.channel ?? source.pattern)!);
    this._emit('unsubscribed', { ...source, error });
    if (!this.#names.size) this.#finish(error);
  }

  /** Reports whether a later try may succeed. The client renews a token that the server rejects. */
  #passes(code: RealtimeError['code']): boolean {
    if (typeof code === 'number') return code !== 204;
    return passes(code) || ((code === 'UNAUTHORIZED' || code === 'TOKEN_EXPIRED') && !!this.#client._http.token);
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = later(() => this.#ended({ error: new RealtimeError(1006, 'no sign of life'), retry: true }), this.#patience);
  }

  #ended({ error, retry }: End): void {
    if (!retry) return this.#finish(error);
    if (this.#opened && Date.now() - this.#opened > stable) this.#attempt = 0;
    this.#halt('waiting', error);
    // Without a connection, the stream starts when the client is open again.
    const wait = Math.max(this.#wait, error.retryAfter ?? 0, backoff(this.#attempt++, 1000, 30_000));
    this.#next = later(() => this.#client.state === 'open' && this.#start(), wait);
  }

  #finish(error?: RealtimeError): void {
    this.#off();
    this.#halt('closed', error);
  }

  /** Ends the stream, if there is one. */
  #halt(state: WatchState, error?: RealtimeError): void {
    this.#abort?.abort();
    this.#abort = undefined;
    clearTimeout(this.#next);
    clearTimeout(this.#silence);
    this.#change(state, error);
  }

  #change(state: WatchState, error?: RealtimeError): void {
    if (this.#state === state) return;
    this.#state = state;
    this._emit('state', { state, error });
  }
}
