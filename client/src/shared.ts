import type { Options, TokenSource } from './options.js';
import { workerName, type FromPage, type FromWorker } from './sharedport.js';

/** The options of a client, and what tabs need to share its connection. */
export type SharedOptions = Options & {
  /**
   * Tabs share a connection if they have the same group and the same address, and if all of them have a token or none
   * has one. Name the user here, because the server reads a cookie only once, when the connection opens. With a
   * `token` the group is optional.
   */
  group?: string;
  /** The address of `sharedworker.js`, which must be of the page's origin. Default: beside this script. */
  worker?: string | URL;
} & ({ token: TokenSource } | { group: string });

/** How long the worker may take to start, in milliseconds. */
const patience = 3000;
/** The close code after which the client connects again. It is `CloseCode.HUB_GONE`, without the whole table. */
const again = 4502;

/**
 * Returns options for `connect`. With them all tabs of a browser use one connection. If the browser has no
 * SharedWorker, or the worker does not start, the client opens a connection of its own.
 */
export function shared({ group, worker, ...options }: SharedOptions): Options {
  if (group === undefined && options.token === undefined) throw new TypeError('shared: pass a token or a group');
  const Plain = options.WebSocket ?? globalThis.WebSocket;
  if (!Plain || typeof SharedWorker === 'undefined') return options;
  const host: Host = {
    alone: false,
    key: `${options.token === undefined ? 'group' : 'token'} ${group ?? ''}`,
    timeout: options.timeout,
    // Bundlers recognize this form, with the name as a literal, and add the file. The name is workerName.
    start: () => (worker ? new SharedWorker(worker, { name: workerName }) : new SharedWorker(new URL('./sharedworker.js', import.meta.url), { name: 'caddy-realtime 1' })),
    plain: (url) => new Plain(url),
  };
  const Socket = class extends SharedSocket {
    constructor(url: string) {
      super(url, host);
    }
  };
  return { ...options, WebSocket: Socket as unknown as typeof WebSocket };
}

interface Host {
  readonly key: string;
  readonly timeout: number | undefined;
  /** True when this client no longer uses the worker. */
  alone: boolean;
  start(): SharedWorker;
  plain(url: string): WebSocket;
}

/** The part of a WebSocket that the client uses. At its other end is the shared worker, or the server itself. */
class SharedSocket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  readonly #url: string;
  readonly #host: Host;
  #plain: WebSocket | undefined;
  #port: MessagePort | undefined;
  /** Aborted when the page no longer uses the worker. */
  readonly #over = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, host: Host) {
    this.#url = url;
    this.#host = host;
    try {
      if (!host.alone) this.#join(host.start());
    } catch {
      // The page's policy forbids the worker, or it is of another origin.
    }
    if (!this.#port) this.#separate();
  }

  send(text: string): void {
    if (this.#plain) this.#plain.send(text);
    else this.#port?.postMessage(text);
  }

  close(code?: number): void {
    this.readyState = 3;
    this.#leave(code);
    const plain = this.#plain;
    if (!plain) return;
    // Without a listener, some implementations throw errors.
    plain.onmessage = plain.onclose = plain.onerror = () => {};
    plain.close(code);
  }

  #join(worker: SharedWorker): void {
    const port = (this.#port = worker.port);
    const { signal } = this.#over;
    const failed = (): void => {
      try {
        this.#separate();
      } catch (error) {
        this.#ended(1006, String(error));
      }
    };
    worker.addEventListener('error', failed, { signal });
    this.#timer = setTimeout(failed, patience);
    port.addEventListener('message', ({ data }) => this.#take(data), { signal });
    port.start();
    const { key, timeout } = this.#host;
    this.#tell({ type: 'open', url: this.#url, key, timeout });
    // A page in the back/forward cache is suspended by the client itself.
    addEventListener('pagehide', ({ persisted }) => persisted || this.#leave(), { signal });
    this.#hold().catch(() => {});
  }

  /** Takes a lock. The browser releases it when the page ends, for whatever reason. Only secure pages have locks and random names. */
  async #hold(): Promise<void> {
    const name = navigator.locks && `${workerName} ${crypto.randomUUID()}`;
    const { signal } = this.#over;
    await navigator.locks?.request(name, { signal }, () => {
      this.#tell({ type: 'lock', name });
      return new Promise<void>((resolve) => (signal.onabort = () => resolve()));
    });
  }

  #take(data: string | FromWorker): void {
    if (typeof data === 'string') {
      this.readyState = 1;
      this.onmessage?.({ data });
    } else if (data.type === 'ready') clearTimeout(this.#timer);
    else if (data.type === 'alive') this.#tell({ type: 'alive' });
    else if (data.type === 'alone') this.#parted(data.greeted);
    else this.#ended(data.code, data.reason);
  }

  #parted(greeted: boolean): void {
    this.#host.alone = true;
    if (greeted) this.#ended(again, 'cannot be shared');
    else this.#separate();
  }

  /** Stops using the worker. The client has sent nothing yet that another connection needs. */
  #separate(): void {
    this.#host.alone = true;
    this.#leave();
    const plain = (this.#plain = this.#host.plain(this.#url));
    plain.onmessage = (event) => {
      this.readyState = 1;
      this.onmessage?.(event);
    };
    plain.onclose = ({ code, reason }) => this.#ended(code, reason);
    plain.onerror = () => this.onerror?.();
  }

  #ended(code: number, reason: string): void {
    this.#leave();
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** Leaves the worker, if the page has not done it yet. */
  #leave(code?: number): void {
    clearTimeout(this.#timer);
    if (this.#over.signal.aborted) return;
    this.#tell({ type: 'close', code });
    this.#over.abort();
    this.#port?.close();
    this.#port = undefined;
  }

  #tell(message: FromPage): void {
    this.#port?.postMessage(message);
  }
}
