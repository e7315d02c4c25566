import { problem } from './answer.js';
import { RealtimeError, type Client } from './core.js';
import { later } from './time.js';

/** Options of a call. */
export interface CallOptions {
  /** How long to wait for the answer, in milliseconds. It includes the wait for a connection. Default: the client's `timeout`. */
  timeout?: number;
  /** Gives the call up: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

interface Call {
  readonly payload: { method: string; params: unknown };
  /** Aborted when the page has its answer, or no longer waits for one. */
  readonly over: AbortController;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The call is an HTTP request, which does not end with the connection. */
  readonly posted: boolean;
}

/** How many calls may be open. With more, the server would not read the connection. */
const most = 8;

/**
 * The calls of a client. A call waits here for a connection, and is sent at most once. If the connection ends
 * before the answer, the call is rejected: the client cannot know whether the app has received it.
 */
export class CallQueue {
  readonly #client: Client;
  /** Not sent yet. */
  #waiting = new Set<Call>();
  /** Sent and not answered. The server works on them even if the page no longer waits. */
  readonly #sent = new Set<Call>();

  constructor(client: Client) {
    this.#client = client;
    client.on('state', ({ state }) => this.#changed(state));
  }

  call(method: string, params: unknown, { timeout = this.#client._http.timeout, signal }: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#client.state === 'closed') throw closed();
      const call: Call = { payload: { method, params }, over: new AbortController(), resolve, reject, posted: false };
      const aborted = (): void => this.#end(call, signal!.reason);
      const timer = later(() => {
        const what = this.#waiting.has(call) ? 'no connection in time' : 'no answer in time';
        this.#end(call, new RealtimeError(408, what));
      }, timeout);
      signal?.addEventListener('abort', aborted);
      call.over.signal.onabort = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
      };
      this.#waiting.add(call);
      this.#pump();
    });
  }

  #changed(state: string): void {
    if (state === 'open') return this.#pump();
    for (const call of this.#sent) {
      if (call.posted && state !== 'closed') continue;
      this.#sent.delete(call);
      this.#end(call, lost());
    }
    if (state === 'closed') for (const call of this.#waiting) this.#end(call, closed());
  }

  /** Sends the calls that may be sent now. It waits a moment, because the client is `open` just before it accepts commands. */
  #pump(): void {
    queueMicrotask(() => {
      for (const call of this.#waiting) {
        if (this.#client.state !== 'open' || this.#sent.size >= most) return;
        this.#waiting.delete(call);
        this.#send({ ...call, posted: this.#client.transport === 'sse' });
      }
    });
  }

  #send(call: Call): void {
    this.#sent.add(call);
    const failed = (error: unknown): void => this.#answered(call, error);
    const done = (result: unknown): void => this.#answered(call, undefined, result ?? null);
    if (call.posted) this.#post(call).then(done, failed);
    else this.#client._command('call', call.payload, failed, ({ payload }) => done(payload.result));
  }

  async #post({ payload, over }: Call): Promise<unknown> {
    const http = this.#client._http;
    const body = write(payload);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: over.signal };
    const response = await http.send(http.url('/call'), init).catch(() => {
      throw lost();
    });
    const answer = await response.json().catch(() => undefined);
    if (!response.ok) throw problem(response.status, answer ?? {});
    if (!answer) throw lost();
    return answer.result;
  }

  #answered(call: Call, error: unknown, result?: unknown): void {
    this.#sent.delete(call);
    this.#end(call, error, result);
    this.#pump();
  }

  /** Settles the promise of the page, if it still waits. */
  #end(call: Call, error: unknown, result?: unknown): void {
    this.#waiting.delete(call);
    if (call.over.signal.aborted) return;
    if (error === undefined) call.resolve(result);
    else call.reject(error);
    call.over.abort();
  }
}

function write(payload: unknown): string {
  try {
    return JSON.stringify(payload);
  } catch (error) {
    throw new RealtimeError('INVALID_MESSAGE', String(error));
  }
}

function lost(): RealtimeError {
  return new RealtimeError('CONNECTION_LOST', 'connection lost before the answer');
}

function closed(): RealtimeError {
  return new RealtimeError('CLOSED', 'closed');
}
