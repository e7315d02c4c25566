import { backoff } from './retry.js';
import { RealtimeError } from './error.js';
import { problem, type Http } from './http.js';
import type { Command, Envelope, Payload } from './wire.js';

/** The path of a channel's messages in the HTTP API. */
export function messagesPath(channel: string): string {
  return `/channels/${encodeURIComponent(channel)}/messages`;
}

/**
 * Turns commands into requests of the HTTP API and their answers into envelopes.
 * Requests go one after the other, which keeps messages in order.
 */
export class Requests {
  readonly #http: Http;
  readonly #reply: (envelope: Envelope) => void;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(http: Http, reply: (envelope: Envelope) => void) {
    this.#http = http;
    this.#reply = reply;
  }

  send(command: Command): void {
    const request = this.#request(command);
    this.#last = this.#last.then(async () => {
      const envelope = await request();
      if (envelope && !this.#closed) this.#reply(envelope);
    });
  }

  close(): void {
    this.#closed = true;
  }

  #request({ type, id = 0, payload }: Command): () => Promise<Envelope | undefined> {
    const path = messagesPath(payload.channel!);
    if (type === 'message') {
      const { content, event, to, key } = payload;
      const headers = { 'content-type': 'application/json', 'idempotency-key': String(key) };
      const init = { method: 'POST', headers, body: JSON.stringify({ content, event, to }) };
      return () => this.#ask('ack', id, this.#http.url(path, []), init);
    }
    if (type === 'history') {
      const query = Object.entries({ ...(payload['since'] as object), limit: payload['limit'] });
      return () => this.#ask('history', id, this.#http.url(path, query), {});
    }
    return async () => failed(id, new RealtimeError('UNSUPPORTED', `${type} needs a WebSocket`));
  }

  /** Repeats a request until the server itself has answered; the key of a message makes that harmless. */
  async #ask(type: string, id: string | number, url: URL, init: object): Promise<Envelope | undefined> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const response = await this.#http.send(url, init);
        if (response.ok) return { type, id, payload: (await response.json()) as Payload };
        const error = await problem(response);
        if (typeof error.code === 'string' || response.status < 500) return failed(id, error);
      } catch {
        // The network. Whether the connection is gone, the stream finds out.
      }
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, 1000, 30_000)));
    }
    return undefined;
  }
}

/** A refusal as it would have come over a WebSocket. */
function failed(id: string | number, { code, message, retryAfter }: RealtimeError): Envelope {
  return { type: 'error', id, payload: { code, message, retryAfter } };
}
