import { backoff } from './retry.js';
import { RealtimeError } from './error.js';
import { problem, type Http } from './http.js';
import { later, within } from './time.js';
import { examine, type Command, type Envelope } from './wire.js';

/** A request is given up after this many times the time limit of one try. */
const patience = 6;

/** Returns the path of a channel's resource in the HTTP API. */
export function pathOf(channel: string, what = 'messages'): string {
  return `/channels/${encodeURIComponent(channel)}/${what}`;
}

/**
 * Turns commands into requests of the HTTP API, and the answers into envelopes. Requests
 * of a channel are sent one after the other, so messages stay in order. If an answer does not
 * arrive in time, the next request is sent without it.
 */
export class Requests {
  readonly #http: Http;
  readonly #reply: (envelope: Envelope) => void;
  /**
   * The secret of the stream, undefined before the first one. By this the server knows the stream, and names an anonymous
   * page as the sender. While the next stream opens it is that of the last one, which still names the sender.
   */
  proof: string | undefined;
  /** By channel: resolves when the next request may go. */
  readonly #turns = new Map<string | undefined, Promise<void>>();
  #closed = false;

  constructor(http: Http, reply: (envelope: Envelope) => void) {
    this.#http = http;
    this.#reply = reply;
  }

  send(command: Command): void {
    const { channel } = command.payload;
    const turn = (this.#turns.get(channel) ?? Promise.resolve())
      .then(() => within(this.#perform(command), this.#http.timeout))
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(channel) === turn) this.#turns.delete(channel);
      });
    this.#turns.set(channel, turn);
  }

  close(): void {
    this.#closed = true;
  }

  async #perform({ type, id, payload }: Command): Promise<void> {
    // Requests of a channel are sent one after the other, so none needs `after`.
    const { channel, since, limit, after, ...message } = payload;
    const [reply, body, what] = ({
      message: ['ack', message],
      history: [type],
      // What the page says about itself. `presence` asks for the members.
      look: ['ack', message, 'presence'],
      change: ['change-accepted', payload, 'document/changes'],
    }[type] ?? []) as [string?, object?, string?];
    const query = Object.entries({ ...(since as object), limit });
    const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ secret: this.proof, ...body }) };
    const envelope = reply
      ? await this.#ask(reply, id!, this.#http.url(pathOf(channel!, what), query), init)
      : failed(id!, new RealtimeError('UNSUPPORTED', 'needs WebSocket'));
    if (envelope && !this.#closed) this.#reply(envelope);
  }

  /**
   * Repeats a request until the server itself has answered. The key of a message and the
   * number of a change make that harmless. If the network is gone, the stream notices it
   * before the request is given up.
   */
  async #ask(type: string, id: string | number, url: URL, init = {}): Promise<Envelope | undefined> {
    const end = Date.now() + patience * this.#http.timeout;
    for (let attempt = 0; !this.#closed; attempt++) {
      let error;
      try {
        const answer = await this.#http.ask(url, init);
        const { response, body } = answer;
        if (response.ok && body) return examine({ type, id, payload: body });
        error = problem(answer);
        if (body?.localVersion) return examine({ type: 'change-rejected', id, payload: body });
        if (!response.ok && (typeof error.code === 'string' || response.status < 500)) return failed(id, error);
      } catch {
        error = new RealtimeError(408, 'no answer in time');
      }
      if (Date.now() >= end) return failed(id, error);
      await new Promise<void>((resolve) => later(resolve, backoff(attempt, 1000, 30_000)));
    }
    return undefined;
  }
}

/** Returns a rejection as the envelope that a WebSocket would have received. */
function failed(id: string | number, { code, message, retryAfter }: RealtimeError): Envelope {
  return { type: 'error', id, payload: { code, message, retryAfter } };
}
