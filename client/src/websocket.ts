import { closeDelay, mayReconnect } from './retry.js';
import { RealtimeError } from './error.js';
import type { Ending, Listener, Transport } from './transport.js';
import { parse, type Command } from './wire.js';

/** The WebSocket transport. The constructor throws when the browser forbids the connection. */
export class WebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly audible = true;
  readonly #socket: WebSocket;

  constructor(WebSocketClass: typeof WebSocket, base: URL, listener: Listener) {
    const url = new URL(base);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = (this.#socket = new WebSocketClass(url.href));
    socket.onmessage = ({ data }) => {
      const envelope = parse(String(data));
      if (envelope) listener.frame(envelope);
      else listener.heard();
    };
    socket.onclose = ({ code, reason }) => listener.end(ending(code, reason));
    // If `close` follows, it says the same, but not all implementations send it.
    socket.onerror = () => listener.end(ending(1006, ''));
  }

  send(command: Command): void {
    if (this.#socket.readyState === 1) this.#socket.send(JSON.stringify(command));
  }

  close(goodbye?: boolean): void {
    const socket = this.#socket;
    // Without a listener, some implementations throw errors.
    socket.onmessage = socket.onclose = socket.onerror = () => {};
    // Only a goodbye has a code. So the server recognizes a client that will connect again.
    socket.close(goodbye ? 1000 : undefined);
  }
}

function ending(code: number, reason: string): Ending {
  return {
    error: new RealtimeError(code, reason || 'connection lost'),
    retry: mayReconnect(code),
    after: closeDelay(code),
  };
}
