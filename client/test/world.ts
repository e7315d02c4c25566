import type { TestContext } from 'node:test';
import { Realtime, type Options, type Status } from '../src/index.js';
import { FakeEventSource, FakeRequest } from './fakehttp.js';
import { FakeSocket } from './fakesocket.js';

const immediate = setImmediate;

/** Lets everything that is under way, streams included, come to rest. */
export async function rest(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => immediate(resolve));
}

class FakeTarget {
  readonly #target = new EventTarget();
  addEventListener(type: string, listener: (event: Event) => void, options: { signal: AbortSignal }): void {
    this.#target.addEventListener(type, listener, options);
  }
  fire(type: string, fields: object = {}): void {
    this.#target.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

/** A browser's global object. */
export class FakePage extends FakeTarget {
  readonly navigator = { onLine: true };
  readonly document = Object.assign(new FakeTarget(), { visibilityState: 'visible' });

  online(is: boolean): void {
    this.navigator.onLine = is;
    this.fire(is ? 'online' : 'offline');
  }

  visible(is: boolean): void {
    this.document.visibilityState = is ? 'visible' : 'hidden';
    this.document.fire('visibilitychange');
  }
}

/** A page, a network and a server without any real time or chance in them. */
export class World {
  readonly sockets: FakeSocket[] = [];
  readonly requests: FakeRequest[] = [];
  /** The requests that find out whether the address is right. */
  readonly probes: FakeRequest[] = [];
  readonly sources: FakeEventSource[] = [];
  readonly page = new FakePage();
  readonly states: Status[] = [];
  /** What a page makes. */
  Client = Realtime;
  /** What Math.random gives. */
  random = 0.5;
  /** Thrown by the constructor of WebSockets. */
  forbidden: Error | undefined;
  readonly #test: TestContext;
  #client: Realtime | undefined;

  constructor(test: TestContext) {
    this.#test = test;
    test.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
    test.mock.method(Math, 'random', () => this.random);
  }

  /** A client in this world that is connecting. */
  connect(options: Options = {}, url = 'https://example.com/rt'): Realtime {
    const client = new this.Client(url, { ...this.options(), ...options });
    client.on('state', (status) => this.states.push(status));
    this.#client = client;
    return client.connect();
  }

  /** A client with an open WebSocket. */
  async open(options: Options = {}): Promise<Realtime> {
    const client = this.connect(options);
    await rest();
    this.socket.greet();
    await rest();
    return client;
  }

  options(): Options {
    const world = this;
    return {
      page: this.page,
      WebSocket: class extends FakeSocket {
        constructor(url: string) {
          super(url);
          if (world.forbidden) throw world.forbidden;
          world.sockets.push(this);
        }
      } as unknown as typeof WebSocket,
      fetch: (url, init) => {
        const request = new FakeRequest(String(url), init ?? {});
        const probing = !request.isStream && /^\/rt(\/client\.js)?$/.test(request.url.pathname);
        (probing ? this.probes : this.requests).push(request);
        return request.response;
      },
    };
  }

  /** An EventSource class of this world. */
  get EventSource(): typeof EventSource {
    const world = this;
    return class extends FakeEventSource {
      constructor(url: string | URL, init?: EventSourceInit) {
        super(url, init);
        world.sources.push(this);
      }
    } as unknown as typeof EventSource;
  }

  /** Lets time pass, in steps short enough for what is planned on the way. */
  async pass(ms: number): Promise<void> {
    await rest();
    for (; ms > 0; ms -= 1000) {
      this.#test.mock.timers.tick(Math.min(ms, 1000));
      await rest();
    }
  }

  /** The newest WebSocket. */
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** The newest event stream. */
  get stream(): FakeRequest {
    return this.requests.findLast((request) => request.isStream)!;
  }

  /** The newest request that is no event stream. */
  get request(): FakeRequest {
    return this.requests.findLast((request) => !request.isStream)!;
  }

  get status(): Status {
    return this.states.at(-1)!;
  }

  /** The wait before the next try, after which it is made. */
  async retry(): Promise<number> {
    const { state, retryIn } = this.status;
    if (state !== 'reconnecting' || retryIn === undefined) throw new Error(`no retry is planned in state ${state}`);
    await this.pass(Math.max(1, retryIn)); // a timer takes at least that long
    return retryIn;
  }

  get client(): Realtime {
    return this.#client!;
  }
}
