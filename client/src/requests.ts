import { backoff } from './retry.js';
import { RealtimeError } from './error.js';
import { problem, type Http } from './http.js';
import type { Command, Envelope, Payload } from './wire.js';

/** The path in the HTTP API of something that a channel has. */
export function pathOf(channel: string, what = 'messages'): string {
  return `/channels/${encodeURIComponent(channel)}/${what}`;
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

  send({ type, id, payload }: Command): void {
    const { channel, content, event, to, key, since, limit } = payload;
    const [reply, body, what] = ({
      message: ['ack', { content, event, to, id: key }],
      history: [type],
      change: ['change-accepted', payload, 'document/changes'],
    }[type] ?? []) as [string?, object?, string?];
    const query = Object.entries({ ...(since as object), limit });
    const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    this.#last = this.#last.then(async () => {
      const envelope = reply
        ? await this.#ask(reply, id!, this.#http.url(pathOf(channel!, what), query), init)
        : failed(id!, new RealtimeError('UNSUPPORTED', 'needs WebSocket'));
      if (envelope && !this.#closed) this.#reply(envelope);
    });
  }

  close(): void {
    this.#closed = true;
  }

  /** Repeats a request until the server itself has answered; what names a message or a change makes that harmless. */
  async #ask(type: string, id: string | number, url: URL, init = {}): Promise<Envelope | undefined> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const response = await this.#http.send(url, init);
        if (response.ok) return { type, id, payload: (await response.json()) as Payload };
        const [error, body] = await problem(response);
        if (body?.localVersion) return { type: 'change-rejected', id, payload: body };
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
