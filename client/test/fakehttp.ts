import type { Envelope } from '../src/wire.js';
import type { Said } from './fakesocket.js';

/** A request that waits for the test to answer it. */
export class FakeRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly response: Promise<Response>;
  #resolve!: (response: Response) => void;
  #reject!: (error: unknown) => void;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(
    url: string | URL,
    readonly init: RequestInit,
  ) {
    this.url = new URL(url);
    this.method = init.method ?? 'GET';
    this.headers = init.headers as Record<string, string>;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    init.signal?.addEventListener('abort', () => this.fail('aborted'));
  }

  get aborted(): boolean {
    return !!this.init.signal?.aborted;
  }

  get channels(): string[] {
    return this.url.searchParams.getAll('channel');
  }

  /** Whether this is an event stream. */
  get isStream(): boolean {
    return this.headers['accept'] === 'text/event-stream';
  }

  get body(): Record<string, unknown> {
    return JSON.parse(String(this.init.body)) as Record<string, unknown>;
  }

  answer(status: number, body: unknown, headers: Record<string, string> = {}): void {
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    this.#resolve(new Response(text, { status, headers }));
  }

  /** Answers with an error of the protocol. */
  problem(status: number, code: string, headers: Record<string, string> = {}): void {
    this.answer(status, { type: 'about:blank', status, code, detail: `detail of ${code}` }, headers);
  }

  /** The network breaks, before or in the middle of the answer. */
  fail(why = 'network'): void {
    this.#reject(new TypeError(why));
    try {
      this.#body?.error(new TypeError(why));
    } catch {
      // It was over already.
    }
  }

  // Event streams.

  accept(): this {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#body = controller) });
    this.#resolve(new Response(body, { status: 200, headers: { 'content-type': 'text/event-stream' } }));
    return this;
  }

  write(text: string): this {
    this.#body!.enqueue(new TextEncoder().encode(text));
    return this;
  }

  /** One event, with the cursor behind it. */
  say(envelope: Said, id?: string): this {
    const data = JSON.stringify({ timestamp: 1_000_000, payload: {}, ...envelope });
    return this.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${envelope.type}\ndata: ${data}\n\n`);
  }

  greet(payload: Envelope['payload'] = { connection: 's1', heartbeat: 25_000 }): this {
    return this.accept().say({ type: 'connected', payload });
  }

  end(): void {
    this.#body!.close();
  }
}

/** An EventSource whose other end is the test. */
export class FakeEventSource {
  readyState = 0;
  readonly url: URL;
  readonly #listeners = new Map<string, Set<(event: unknown) => void>>();

  constructor(
    url: string | URL,
    readonly init: EventSourceInit = {},
  ) {
    this.url = new URL(url);
  }

  addEventListener(name: string, listener: (event: unknown) => void): void {
    this.#listeners.set(name, (this.#listeners.get(name) ?? new Set()).add(listener));
  }

  close(): void {
    this.readyState = 2;
  }

  /** Only listeners of exactly this name get it, as in a browser. */
  say(name: string, envelope: Said, lastEventId = ''): void {
    if (this.readyState === 2) return;
    this.readyState = 1;
    const data = JSON.stringify({ timestamp: 1_000_000, payload: {}, ...envelope });
    for (const listener of this.#listeners.get(name) ?? []) listener({ type: name, data, lastEventId });
  }

  /** The stream breaks; `final`: it was refused. */
  fail(final = false): void {
    this.readyState = final ? 2 : 0;
    for (const listener of this.#listeners.get('error') ?? []) listener({ type: 'error' });
  }
}
