import type { FromPage, FromWorker } from './sharedport.js';
import { waitOf } from './time.js';
import type { Envelope } from './wire.js';

/** What a tab calls on its connection. */
export interface TabHooks {
  frame(text: string): void;
  /** The last call. `goodbye`: the client will not connect again; else the page may come back in a moment. */
  gone(goodbye: boolean): void;
}

/** The worker pings a page that it has not heard for this many sent bytes, or milliseconds. */
const [askBytes, askTime] = [1 << 20, 20_000];
/** The worker gives up a page that it has not heard for this many sent bytes, or milliseconds. */
const [mostBytes, mostTime] = [16 << 20, 60_000];
/** The patience of a page that sets no `timeout`, in milliseconds. */
const usualPatience = 10_000;
/** Close codes: the page did not read fast enough, or did not answer. */
const [slow, silent] = [4500, 4501];

/** The worker's end of a page's connection. */
export class Tab {
  /** How long the page waits for the server, in milliseconds. */
  readonly patience: number;
  /** The page has authenticated on the connection. */
  known = false;
  readonly #port: MessagePort;
  readonly #hooks: TabHooks;
  /** Aborted when the tab is gone. */
  readonly #over = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  /** When the page was last heard, and how many bytes the worker has sent it since. */
  #heardAt = Date.now();
  #debt = 0;
  #asked = false;

  constructor(port: MessagePort, hooks: TabHooks, timeout: number | undefined) {
    this.patience = waitOf(timeout) ?? usualPatience;
    this.#port = port;
    this.#hooks = hooks;
    port.addEventListener('message', ({ data }) => this.#take(data), { signal: this.#over.signal });
    this.#timer = setInterval(() => this.#check(), askTime);
  }

  send(text: string): void {
    if (this.#over.signal.aborted) return;
    this.#debt += text.length;
    if (this.#debt > mostBytes) return this.end(slow, 'the page does not read');
    if (this.#debt > askBytes && !this.#asked) this.#ask();
    this.#port.postMessage(text);
  }

  say(envelope: Envelope): void {
    this.send(JSON.stringify(envelope));
  }

  /** Answers a command of the page. */
  reply(id: string | number | undefined, { type, timestamp, payload }: Envelope): void {
    this.say({ type, ...(id !== undefined && { id }), timestamp, payload });
  }

  /** Ends the page's connection. */
  end(code: number, reason: string): void {
    this.#tell({ type: 'end', code, reason });
    this.#gone(false);
  }

  /** Makes the page take a connection of its own. */
  part(greeted: boolean): void {
    this.#tell({ type: 'alone', greeted });
    this.#gone(true);
  }

  #take(data: string | FromPage): void {
    this.#heardAt = Date.now();
    if (typeof data === 'string') this.#hooks.frame(data);
    else if (data.type === 'close') this.#gone(data.code !== undefined);
    else if (data.type === 'lock') this.#watch(data.name);
    else if (data.type === 'alive') {
      this.#asked = false;
      this.#debt = 0;
    }
  }

  /** Waits for the page's lock. The worker gets it when the page is gone. */
  #watch(name: string): void {
    navigator.locks?.request(name, { signal: this.#over.signal }, () => this.#gone(false)).catch(() => {});
  }

  #check(): void {
    if (this.#asked && Date.now() - this.#heardAt > mostTime) this.end(silent, 'the page does not answer');
    else this.#ask();
  }

  #ask(): void {
    this.#asked = true;
    this.#tell({ type: 'alive' });
  }

  #gone(goodbye: boolean): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearInterval(this.#timer);
    this.#hooks.gone(goodbye);
  }

  #tell(message: FromWorker): void {
    if (!this.#over.signal.aborted) this.#port.postMessage(message);
  }
}
