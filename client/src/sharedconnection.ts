import { MessageQueue, type QueueConnection } from './sharedqueue.js';
import { SharedRoom, lingering, type RoomConnection } from './sharedroom.js';
import type { Tab } from './sharedtab.js';
import { parse, type Command, type Envelope, type Payload } from './wire.js';

/** A command on the connection. */
interface Asked {
  readonly command: Command;
  readonly done: (answer: Envelope) => void;
  /** The tab that calls; undefined for all other commands. */
  readonly caller: Tab | undefined;
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
  /** Ends the connection unless a frame arrives. Runs until the greeting, and while a ping has no answer. */
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #deadlineAt = 0;
  /** Runs while a page that is gone may come back. */
  #linger: ReturnType<typeof setTimeout> | undefined;
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
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#tabs.set(tab, new MessageQueue(tab, this));
    if (this.#greeting) tab.say(this.#greeting);
    else this.#limit(tab);
  }

  /** Removes a tab that is gone. `goodbye`: the tab will not come back. */
  leave(tab: Tab, goodbye: boolean): void {
    if (!this.#tabs.delete(tab) || this.#over) return;
    for (const room of [...this.#rooms.values()]) room.leave(tab, !goodbye);
    if (!goodbye) {
      clearTimeout(this.#linger);
      this.#linger = setTimeout(() => this.#lingered(), lingering);
    }
    if (this.#tabs.size) return;
    if (!this.#greeting || !this.#linger) this.#close(goodbye ? 1000 : undefined);
  }

  #lingered(): void {
    this.#linger = undefined;
    if (!this.#tabs.size && !this.#over) this.#close();
  }

  /** Handles a frame from a tab. */
  command(tab: Tab, text: string): void {
    const command = JSON.parse(text) as Command;
    const { type, id, payload } = command;
    const { channel } = payload;
    const room = this.#rooms.get(channel!);
    if (type === 'ping') this.#check(tab);
    else if (type === 'authenticate') this.#authenticate(tab, command);
    else if (type === 'subscribe') this.#room(channel!).subscribe(tab, command);
    else if (type === 'unsubscribe' && room) room.unsubscribe(tab, command);
    else if (type === 'change' && room) room.change(tab, command);
    else if (type === 'presence' && room && (payload['status'] ?? payload['info']) !== undefined) room.presence(tab, command);
    else if (id === undefined) this.#send(command);
    else if (type === 'message') this.#tabs.get(tab)?.push(command);
    else this.ask(command, (answer) => tab.reply(id, answer), type === 'call' ? tab : undefined);
  }

  ask(command: Command, done: (answer: Envelope) => void, caller?: Tab): void {
    this.#waiting.push({ command: { ...command, id: ++this.#count }, done, caller });
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

  /** Sends what may go. Commands that are no calls keep their order. */
  #pump(): void {
    this.#waiting = this.#waiting.filter((asked) => {
      if (!this.#free(asked)) return true;
      this.#asked.set(asked.command.id, asked);
      this.#send(asked.command);
      return false;
    });
  }

  /** Reports whether a command may go now. A tab may call while it has fewer calls than are left for other tabs. */
  #free({ caller }: Asked): boolean {
    const open = [...this.#asked.values()];
    const calls = open.filter((other) => other.caller);
    if (!caller) return open.length - calls.length < mostCommands;
    return calls.filter((other) => other.caller === caller).length < mostCalls - calls.length;
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
    this.#unlimit();
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
  #check(tab: Tab): void {
    if (!this.#deadline) this.#send({ type: 'ping', payload: {} });
    this.#limit(tab);
  }

  /**
   * Ends the connection if no frame arrives within the patience of a tab. The worker measures that itself: a tab that
   * leaves may have timed out, but it may as well be loaded again.
   */
  #limit({ patience }: Tab): void {
    const end = Date.now() + patience;
    if (this.#deadline && this.#deadlineAt <= end) return;
    clearTimeout(this.#deadline);
    this.#deadlineAt = end;
    this.#deadline = setTimeout(() => this.#lost(), patience);
  }

  #unlimit(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
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
    this.#unlimit();
    clearTimeout(this.#linger);
    this.#rooms.clear();
    this.#gone();
  }
}
