import type { TestContext } from 'node:test';
import { Realtime as Client } from '../src/documents.js';
import type { Options } from '../src/index.js';
import { shared, type SharedOptions } from '../src/shared.js';
import { server } from '../src/sharedserve.js';
import { rest, World } from './world.js';

type Taker = (event: { data: unknown }) => void;

/** One end of a channel. What arrives before it is started waits. */
class FakePort {
  other: FakePort | undefined;
  frozen = false;
  #takers: Taker[] = [];
  #taker: Taker | null = null;

  set onmessage(taker: Taker | null) {
    this.#taker = taker;
  }
  addEventListener(_: string, taker: Taker, { signal }: { signal: AbortSignal }): void {
    this.#takers.push(taker);
    signal.addEventListener('abort', () => (this.#takers = this.#takers.filter((other) => other !== taker)));
  }
  start(): void {}
  close(): void {
    queueMicrotask(() => this.other && (this.other.other = undefined));
  }
  postMessage(data: unknown): void {
    const { other } = this;
    queueMicrotask(() => {
      if (other?.frozen) return;
      if (!other) return;
      for (const taker of [other.#taker, ...other.#takers]) taker?.({ data: structuredClone(data) });
    });
  }
}

/** A browser with several tabs, whose worker is that of this process. */
export class SharedWorld extends World {
  /** Makes the worker fail: when it is made, or later. */
  broken: 'at once' | 'later' | 'silent' | undefined;
  readonly tabs: Client[] = [];
  /** Ends a page with its lock, without a word. */
  readonly #locks = new Map<string, { release(): void; over: Promise<void> }>();
  readonly #ofTab = new Map<Client, string[]>();
  #making: string[] = [];
  readonly #ports = new Map<Client, FakePort>();
  #port: FakePort | undefined;

  constructor(test: TestContext) {
    super(test);
    const world = this;
    const serve = server();
    test.mock.timers.reset();
    test.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 });
    const SharedWorker = class {
      readonly port = new FakePort();
      #failed: (() => void) | undefined;
      constructor() {
        world.#port = this.port;
        if (world.broken === 'at once') throw new Error('forbidden');
        if (world.broken === 'later') queueMicrotask(() => this.#failed?.());
        if (world.broken) return;
        const inside = new FakePort();
        [this.port.other, inside.other] = [inside, this.port];
        serve(inside as unknown as MessagePort);
      }
      addEventListener(_: string, failed: () => void): void {
        this.#failed = failed;
      }
    };
    const locks = {
      request(name: string, { signal }: { signal: AbortSignal }, granted: () => Promise<void> | void): Promise<void> {
        const before = world.#locks.get(name)?.over ?? Promise.resolve();
        return before.then(() => {
          if (signal.aborted) return;
          let release = (): void => {};
          const over = new Promise<void>((resolve) => (release = resolve));
          if (!world.#locks.has(name)) {
            world.#locks.set(name, { release, over });
            world.#making.push(name);
          }
          void Promise.resolve(granted()).then(release);
        });
      },
    };
    const socket = this.options().WebSocket;
    for (const [name, value] of Object.entries({ SharedWorker, WebSocket: socket, navigator: { locks }, addEventListener: () => {} })) {
      const old = Object.getOwnPropertyDescriptor(globalThis, name);
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
      test.after(() => (old ? Object.defineProperty(globalThis, name, old) : Reflect.deleteProperty(globalThis, name)));
    }
  }

  /** Opens a tab, whose client connects. */
  async tab(options: Partial<SharedOptions> = {}): Promise<Client> {
    this.#making = [];
    const { WebSocket: _, ...plain } = this.options();
    const both: Options = shared({ group: 'ann', ...plain, ...options } as SharedOptions);
    const client = new Client('https://example.com/rt', both).connect();
    this.tabs.push(client);
    await rest();
    this.#ofTab.set(client, this.#making);
    this.#ports.set(client, this.#port!);
    return client;
  }

  /** Opens the first tab, and accepts its connection. */
  async first(options: Partial<SharedOptions> = {}, heartbeat = 25_000): Promise<Client> {
    const client = await this.tab(options);
    this.socket.greet({ connection: 'c1', heartbeat });
    await rest();
    return client;
  }

  /** The page of a client is gone, without a word. */
  async crash(client: Client): Promise<void> {
    for (const name of this.#ofTab.get(client)!) this.#locks.get(name)!.release();
    await rest();
  }

  /** The page of a client stops, and keeps its lock. */
  freeze(client: Client): void {
    this.#ports.get(client)!.frozen = true;
  }
}
