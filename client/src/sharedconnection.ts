import { MessageQueue, type QueueConnection } from './sharedqueue.js';
import { SharedRoom, lingering, type RoomConnection } from './sharedroom.js';
import type { Tab } from './sharedtab.js';
import { parse, type Command, type Envelope, type Payload } from './wire.js';

/** A command on the connection. */
interface Asked {
  readonly command: Command;
  readonly done: (answer: Envelope) => void;
}

/** The token that expires last. */
interface Lease {
  readonly token: unknown;
  readonly payload: Payload;
  /** The time of the answer by the server's clock, and by the clock of this machine. */
  readonly timestamp: number;
  readonly at: number;
}

/**
 * How many commands, and how many calls, may wait for their answers. The first number is less than the number of
 * violations after which the server closes a connection. With more calls than the second number the server stops
 * reading the connection.
 */
const [mostCommands, mostCalls] = [16, 8];
/** How long the server may take to answer a ping, in milliseconds. */
const patience = 10_000;

/**
 * One WebSocket to the server, and the tabs that use it. It does not reconnect. When it ends, the connections of all
 * tabs end in the same way, and their clients connect again.
 */
export class SharedConnection implements QueueConnection, RoomConnection {
  lastQueue: MessageQueue | undefined;
  readonly #socket: WebSocket;
  readonly #gone: () => void;
  readonly #tabs = new Map<Tab, MessageQueue>();
  readonly #rooms = new Map<string, SharedRoom>();
  /** The server's first frame. */
  #greeting: Envelope | undefined;
  #lease: Lease | undefined;
  #count = 0;
  readonly #asked = new Map<unknown, Asked>();
  #waiting: Asked[] = [];
  /** Runs while a ping has no answer. */
  #ping: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** Calls `gone` when no more tabs may join this connection. */
  constructor(url: string, gone: () => void) {
    this.#gone = gone;
    const socket = (this.#socket = new WebSocket(url));
    socket.onmessage = ({ data }) => this.#frame(String(data));
    socket.onclose = ({ code, reason }) => this.#ended(code, reason);
  }

  get sender(): string | undefined {
    return this.#lease?.payload.user ?? this.#greeting?.payload.user ?? this.#greeting?.payload.connection;
  }

  join(tab: Tab): void {
    this.#tabs.set(tab, new MessageQueue(tab, this));
    if (this.#greeting) tab.say(this.#greeting);
  }

  /** Removes a tab that is gone. `goodbye`: the tab will not come back. */
  leave(tab: Tab, goodbye: boolean): void {
    if (!this.#tabs.delete(tab) || this.#over) return;
    // The tab waited for the server in vain, so no other tab needs to try.
    if (this.#ping && !goodbye) return this.#lost();
    for (const room of [...this.#rooms.values()]) room.leave(tab, !goodbye);
    if (this.#tabs.size) return;
    if (goodbye || !this.#greeting) this.#close(goodbye ? 1000 : undefined);
    else setTimeout(() => this.#tabs.size || this.#close(), lingering);
  }

  /** Handles a frame from a tab. */
  command(tab: Tab, text: string): void {
    const command = JSON.parse(text) as Command;
    const { type, id, payload } = command;
    const { channel } = payload;
    const room = this.#rooms.get(channel!);
    if (type === 'ping') this.#check();
    else if (type === 'authenticate') this.#authenticate(tab, command);
    else if (type === 'subscribe') this.#room(channel!).subscribe(tab, command);
    else if (type === 'unsubscribe' && room) room.unsubscribe(tab, command);
    else if (type === 'change' && room) room.change(tab, command);
    else if (type === 'presence' && room && (payload['status'] ?? payload['info']) !== undefined) room.presence(tab, command);
    else if (id === undefined) this.#send(command);
    else if (type === 'message') this.#tabs.get(tab)?.push(command);
    else this.ask(command, (answer) => tab.reply(id, answer));
  }

  ask(command: Command, done: (answer: Envelope) => void): void {
    this.#waiting.push({ command: { ...command, id: ++this.#count }, done });
    this.#pump();
  }

  ended(room: SharedRoom): void {
    if (this.#rooms.get(room.channel) === room) this.#rooms.delete(room.channel);
  }

  #room(channel: string): SharedRoom {
    let room = this.#rooms.get(channel);
    if (!room) this.#rooms.set(channel, (room = new SharedRoom(this, channel)));
    return room;
  }

  #pump(): void {
    const calls = [...this.#asked.values()].filter(isCall).length;
    let rest = { true: mostCalls - calls, false: mostCommands - this.#asked.size + calls };
    this.#waiting = this.#waiting.filter((asked) => {
      const kind = `${isCall(asked)}` as const;
      if (rest[kind] <= 0) return true;
      rest = { ...rest, [kind]: rest[kind] - 1 };
      this.#asked.set(asked.command.id, asked);
      this.#send(asked.command);
      return false;
    });
  }

  #send(command: Command): void {
    if (this.#socket.readyState === 1) this.#socket.send(JSON.stringify(command));
  }

  // The token.

  /**
   * Authenticates for a tab. The server rejects the token of another user. The tab of that user then opens a
   * connection of its own. The tabs that have authenticated before are notified of the new expiry, so that one of
   * them renews the token.
   */
  #authenticate(tab: Tab, { id, payload: { token } }: Command): void {
    if (token === this.#lease?.token) return this.#authenticated(tab, id);
    this.ask({ type: 'authenticate', payload: { token } }, (answer) => {
      const { payload, timestamp = Date.now() } = answer;
      if (answer.type !== 'error') {
        const old = this.#lease;
        const later = !old || (payload.expires ?? Infinity) >= (old.payload.expires ?? Infinity);
        if (later) this.#lease = { token, payload, timestamp, at: Date.now() };
        // The connection keeps the longer life of the token that the other tabs sent.
        else this.ask({ type: 'authenticate', payload: { token: old.token } }, () => {});
        this.#authenticated(tab, id);
        for (const other of this.#tabs.keys()) if (later && other !== tab && other.known) this.#authenticated(other);
      } else if (payload.code === 'FORBIDDEN' && this.#lease && !tab.known) tab.part(false);
      else tab.reply(id, answer);
    });
  }

  #authenticated(tab: Tab, id?: Command['id']): void {
    const { payload, timestamp, at } = this.#lease!;
    tab.known = true;
    tab.reply(id, { type: 'authenticated', timestamp: timestamp + Date.now() - at, payload });
  }

  // From the server.

  #frame(text: string): void {
    clearTimeout(this.#ping);
    this.#ping = undefined;
    const envelope = parse(text);
    if (!envelope) return;
    const { type, id, payload } = envelope;
    const asked = this.#asked.get(id);
    if (type === 'connected') this.#greeting = envelope;
    if (asked) {
      this.#asked.delete(id);
      asked.done(envelope);
      this.#pump();
    } else if (payload.channel === undefined) {
      // The greeting, an announced end and a pong are for all tabs. So is an error, because it does not name a tab.
      for (const tab of [...this.#tabs.keys()]) tab.say(envelope);
    } else this.#rooms.get(payload.channel)?.frame(envelope);
  }

  /** Sends a ping to the server. Its answer is for all tabs. */
  #check(): void {
    if (this.#ping) return;
    this.#ping = setTimeout(() => this.#lost(), patience);
    this.#send({ type: 'ping', payload: {} });
  }

  // Ending.

  #lost(): void {
    this.#close();
    this.#ended(1006, 'the server is silent');
  }

  #close(code?: number): void {
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(code);
    this.#end();
  }

  #ended(code: number, reason: string): void {
    this.#end();
    for (const tab of [...this.#tabs.keys()]) tab.end(code, reason);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#ping);
    this.#rooms.clear();
    this.#gone();
  }
}

function isCall({ command }: Asked): boolean {
  return command.type === 'call';
}
