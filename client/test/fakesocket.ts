import type { Command, Envelope } from '../src/wire.js';

/** What a test says for the server: an envelope without the fields that do not matter to it. */
export type Said = Omit<Envelope, 'payload'> & { payload?: Envelope['payload'] };

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  readonly sent: Command[] = [];
  /** How the client closed it; undefined: it did not. */
  closed: { code: number | undefined } | undefined;

  constructor(readonly url: string) {}

  // The client's side.

  send(text: string): void {
    if (this.readyState === 0) throw new Error('still connecting');
    if (this.readyState === 1) this.sent.push(JSON.parse(text) as Command);
  }

  close(code?: number): void {
    this.readyState = 3;
    this.closed ??= { code };
  }

  // The server's side.

  /** Accepts the connection and greets. */
  greet(payload: Envelope['payload'] = { connection: 'c1', heartbeat: 25_000 }): this {
    this.readyState = 1;
    this.onopen?.();
    return this.say({ type: 'connected', payload });
  }

  say(envelope: Said): this {
    return this.raw(JSON.stringify({ timestamp: 1_000_000, payload: {}, ...envelope }));
  }

  raw(data: unknown): this {
    this.onmessage?.({ data });
    return this;
  }

  /** Ends the connection from the server's side. */
  drop(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** Fails as a browser does; `exact`: with the event that belongs behind it. */
  fail(exact = true): void {
    this.readyState = 3;
    this.onerror?.();
    if (exact) this.onclose?.({ code: 1006, reason: '' });
  }

  /** The newest command of a type. */
  last(type: string): Command {
    const command = this.sent.findLast((sent) => sent.type === type);
    if (!command) throw new Error(`no ${type} was sent, only ${this.sent.map((sent) => sent.type).join(', ')}`);
    return command;
  }

  all(type: string): Command[] {
    return this.sent.filter((sent) => sent.type === type);
  }

  /** Answers the newest command of a type. */
  answer(type: string, reply: string, payload: Envelope['payload'] = {}): this {
    const { id } = this.last(type);
    return this.say({ type: reply, ...(id !== undefined && { id }), payload });
  }

  /** Answers the newest subscribe command. */
  subscribed(payload: Envelope['payload'] = {}): this {
    const { id, payload: asked } = this.last('subscribe');
    return this.say({ type: 'subscribed', id: id!, payload: { channel: asked.channel!, ...payload } });
  }
}
