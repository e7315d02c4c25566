import { backoff } from './retry.js';
import { positionOf, same, type Position } from './position.js';
import { SharedAppearance, type Appearance } from './sharedappearance.js';
import { SharedCopy } from './shareddocument.js';
import { retryWait } from './sharedretry.js';
import type { Tab } from './sharedtab.js';
import type { Command, Envelope, Payload } from './wire.js';

/** What a room needs from its connection. */
export interface RoomConnection {
  ask(command: Command, done: (answer: Envelope) => void): void;
  /** The id of the user, or of the anonymous connection. */
  readonly sender: string | undefined;
  /** The room has no subscription any more. */
  ended(room: SharedRoom): void;
}

/** A tab that is subscribed. */
interface Subscriber {
  /** Its `subscribe`. */
  readonly command: Command;
  /** The frames that arrived while the worker fetches the messages that the tab missed. */
  held: Envelope[] | undefined;
}

/** A tab that wants to subscribe. */
interface Newcomer {
  readonly tab: Tab;
  readonly command: Command;
}

/** How long a subscription waits for a page that may come back, in milliseconds. */
export const lingering = 10_000;
/** The most messages that a tab may have missed. */
const most = 1000;

/**
 * A channel of the shared connection. The first tab subscribes. A later tab gets the answer that the server would
 * give to a new subscription: the worker makes it of what it knows and of the history. The subscription ends with
 * the last tab.
 */
export class SharedRoom {
  readonly channel: string;
  readonly #connection: RoomConnection;
  readonly #subscribers = new Map<Tab, Subscriber>();
  readonly #appearance = new SharedAppearance((news, done) => this.#ask('presence', news, done));
  #subscribed = false;
  /** An `unsubscribe` has no answer yet, or waits to be sent again. */
  #ending = false;
  /** The tabs that wait for the answer to `subscribe`; undefined if no `subscribe` is in flight. */
  #newcomers: Newcomer[] | undefined;
  /** The position of the newest frame; undefined without history. */
  #position: Position | undefined;
  #copy: SharedCopy | undefined;
  /** The room has presence. */
  #present = false;
  #filtered = false;
  /** Runs while a page that is gone may come back. */
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: RoomConnection, channel: string) {
    this.#connection = connection;
    this.channel = channel;
  }

  // From the tabs.

  subscribe(tab: Tab, command: Command): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    const newcomer = { tab, command };
    const filtered = !!command.payload['filter'];
    if (this.#newcomers) this.#newcomers.push(newcomer);
    else if (!this.#subscribers.size && !this.#subscribed) this.#first(newcomer);
    // A subscription has one filter, and the history cannot be filtered.
    else if (filtered || this.#filtered) this.#subscribers.size ? tab.part(true) : this.#first(newcomer);
    else if (this.#copy && !this.#copy.document) this.#again(newcomer);
    else this.#later(newcomer);
  }

  unsubscribe(tab: Tab, { id }: Command): void {
    this.leave(tab);
    tab.reply(id, { type: 'unsubscribed', payload: { channel: this.channel } });
  }

  /** Removes a tab. `patient`: the page of the tab may come back in a moment. */
  leave(tab: Tab, patient?: boolean): void {
    if (!this.#has(tab)) return;
    this.#newcomers = this.#newcomers?.filter((newcomer) => newcomer.tab !== tab);
    this.#subscribers.delete(tab);
    this.#appearance.drop(tab);
    if (patient) this.#wait();
    else this.#settle();
  }

  presence(tab: Tab, command: Command): void {
    if (this.#has(tab)) this.#appearance.change(tab, command);
    else tab.reply(command.id, { type: 'error', payload: { code: 'NOT_SUBSCRIBED', message: 'subscribe to the channel first' } });
  }

  change(tab: Tab, command: Command): void {
    this.#connection.ask(command, (answer) => {
      tab.reply(command.id, answer);
      const { epoch, serverVersion, hash } = answer.payload as Payload & { hash?: string };
      const { patch } = command.payload;
      if (answer.type !== 'change-accepted' || !this.#copy?.apply({ epoch: epoch!, serverVersion: serverVersion!, patch })) return;
      const payload = { channel: this.channel, epoch, serverVersion, patch, sender: this.#connection.sender, hash };
      // The other tabs receive it as the change of another client.
      this.#tell({ type: 'remote-change', payload: payload as Payload }, tab);
    });
  }

  // From the server.

  /** Handles a frame about the channel that answers no command. */
  frame(envelope: Envelope): void {
    const { type, payload } = envelope;
    if (type === 'unsubscribed') return this.#over(envelope);
    // A frame that comes before the answer to `subscribe` belongs to an earlier subscription.
    if (!this.#subscribed) return;
    if (type === 'message' && this.#position && payload.offset !== undefined)
      this.#position = positionOf({ ...payload, epoch: this.#position.epoch });
    else if (type === 'gap' || type === 'position') this.#position = positionOf(payload) ?? this.#position;
    else if (type === 'presence') this.#present = true;
    else if (type === 'remote-change') this.#copy?.apply(payload);
    // A change may be lost. The next tab that opens the document gets the state from the server.
    if (type === 'gap') this.#copy?.forget();
    this.#tell(envelope);
  }

  // Subscribing.

  #first(newcomer: Newcomer): void {
    const { command, tab } = newcomer;
    this.#newcomers = [newcomer];
    this.#end();
    this.#filtered = !!command.payload['filter'];
    this.#appearance.clear();
    this.#request(() => command, false, (answer) => {
      const newcomers = this.#newcomers!;
      this.#newcomers = undefined;
      const here = newcomers.includes(newcomer);
      const later = newcomers.filter((other) => other !== newcomer);
      const good = answer.type === 'subscribed';
      if (good) this.#begin(answer.payload);
      if (here) tab.reply(command.id, answer);
      if (good && here) {
        this.#subscribers.set(tab, { command, held: undefined });
        this.#appearance.add(tab, command.payload);
      } else if (here) this.#appearance.drop(tab);
      if (good) this.#appearance.start(command.payload);
      for (const other of later) this.subscribe(other.tab, other.command);
      this.#settle();
    });
  }

  /** Subscribes again, to get the state of the document. */
  #again(newcomer: Newcomer): void {
    this.#newcomers = [newcomer];
    this.#end();
    let sent: Appearance = {};
    const make = (): Command => {
      sent = this.#appearance.all;
      return this.#command('subscribe', { recover: this.#position, ...sent });
    };
    this.#request(make, true, (answer) => {
      const newcomers = this.#newcomers!;
      if (answer.type === 'subscribed') {
        this.#begin(answer.payload);
        this.#tell({ type: answer.type, payload: answer.payload });
        this.#appearance.start(sent);
      } else {
        const { code, message } = answer.payload;
        this.#over({ type: 'unsubscribed', payload: { ...answer.payload, channel: this.channel, code: code!, message: message! } });
      }
      this.#newcomers = undefined;
      for (const { tab, command } of newcomers) this.subscribe(tab, command);
      this.#settle();
    });
  }

  /**
   * Sends a `subscribe`. `insist`: sends it again while the error may pass, because no tab would do so. The server may
   * have rejected the `unsubscribe` before it: then both are sent again.
   */
  #request(make: () => Command, insist: boolean, done: (answer: Envelope) => void, attempt = 0): void {
    this.#connection.ask(make(), (answer) => {
      const early = answer.payload.code === 'ALREADY_SUBSCRIBED';
      const wait = early ? backoff(attempt, 1000, 30_000) : insist ? retryWait(answer, attempt) : undefined;
      if (wait === undefined) return done(answer);
      setTimeout(() => {
        if (early) this.#ask('unsubscribe', {}, () => {});
        if (this.#subscribers.size || this.#newcomers!.length) this.#request(make, insist, done, attempt + 1);
        else done(answer);
      }, wait);
    });
  }

  #begin(payload: Payload): void {
    this.#subscribed = true;
    this.#position = positionOf(payload);
    this.#present = false;
    this.#copy = payload.document && new SharedCopy(payload.document);
  }

  /** Answers a tab that comes to an existing subscription. */
  #later({ tab, command }: Newcomer): void {
    const subscriber: Subscriber = { command, held: undefined };
    const here = this.#position;
    const { recover, history } = command.payload as { recover?: Position; history?: number };
    this.#subscribers.set(tab, subscriber);
    this.#appearance.add(tab, command.payload);
    const welcome = (payload: Payload): void => {
      const document = this.#copy?.document;
      tab.reply(command.id, { type: 'subscribed', payload: { ...payload, channel: this.channel, ...(document && { document }) } });
      const held = subscriber.held ?? [];
      subscriber.held = undefined;
      for (const envelope of held) tab.say(envelope);
      if (this.#present) this.#members(tab, subscriber);
    };
    if (!here || !(recover || history) || (recover && same(recover, here)))
      return welcome({ ...here, ...(recover && { recovered: !!here }) });
    subscriber.held = [];
    this.#insist(tab, subscriber, this.#command('history', recover ? { since: recover, limit: most } : { limit: history }), (answer) => {
      const { lost, more, epoch, offset, anchor, messages } = answer.payload;
      if (answer.type === 'error' && !recover) {
        tab.reply(command.id, answer);
        return this.leave(tab);
      }
      if (recover && (answer.type === 'error' || lost || more)) return welcome({ ...here, recovered: false });
      // The tab recognizes a message that it gets twice by the offset.
      welcome({ ...positionOf({ epoch, offset, anchor } as Payload), ...(recover && { recovered: true }), messages: messages ?? [] });
    });
  }

  /** Sends a tab the members. */
  #members(tab: Tab, subscriber: Subscriber): void {
    this.#insist(tab, subscriber, this.#command('presence', {}), (answer) => answer.type !== 'error' && tab.reply(undefined, answer));
  }

  /** Sends a command for a tab again while the error may pass, the tab is subscribed, and not too many frames wait for that. */
  #insist(tab: Tab, subscriber: Subscriber, command: Command, done: (answer: Envelope) => void, attempt = 0): void {
    this.#connection.ask(command, (answer) => {
      if (this.#subscribers.get(tab) !== subscriber) return;
      const wait = retryWait(answer, attempt);
      if (wait === undefined || (subscriber.held?.length ?? 0) >= most) return done(answer);
      setTimeout(() => this.#subscribers.get(tab) === subscriber && this.#insist(tab, subscriber, command, done, attempt + 1), wait);
    });
  }

  // Ending.

  /** Waits for a page that may come back. It gets the whole time, also if another page went a moment before. */
  #wait(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      this.#linger = undefined;
      this.#settle();
    }, lingering);
  }

  /** Unsubscribes if no tab needs the channel, and no page may come back for it. */
  #settle(): void {
    if (!this.#idle) return;
    this.#end();
    if (!this.#ending) this.#connection.ended(this);
  }

  get #idle(): boolean {
    return !this.#subscribers.size && !this.#newcomers && !this.#linger;
  }

  #end(): void {
    this.#appearance.stop();
    if (this.#subscribed) this.#unsubscribe(0);
    this.#subscribed = false;
  }

  /** Sends `unsubscribe`, again if the server rejects it. A `subscribe` that is sent meanwhile does that itself. */
  #unsubscribe(attempt: number): void {
    this.#ending = true;
    this.#ask('unsubscribe', {}, (answer) => {
      const wait = retryWait(answer, attempt);
      const idle = this.#idle && !this.#subscribed;
      if (idle && wait !== undefined) return void setTimeout(() => this.#unsubscribeAgain(attempt + 1), wait);
      this.#ending = false;
      if (idle) this.#connection.ended(this);
    });
  }

  #unsubscribeAgain(attempt: number): void {
    if (this.#idle && !this.#subscribed) this.#unsubscribe(attempt);
    else this.#ending = false;
  }

  /** Handles the end of the subscription by the server. */
  #over(envelope: Envelope): void {
    this.#subscribed = false;
    const { payload } = envelope;
    for (const [tab, { held, command }] of this.#subscribers) {
      // The tab waits for the answer to its `subscribe`.
      if (held) tab.reply(command.id, { type: 'error', payload });
      else tab.say(envelope);
    }
    this.#subscribers.clear();
    this.#appearance.clear();
    if (!this.#newcomers && !this.#ending) this.#connection.ended(this);
  }

  #has(tab: Tab): boolean {
    return this.#subscribers.has(tab) || !!this.#newcomers?.some((newcomer) => newcomer.tab === tab);
  }

  #tell(envelope: Envelope, but?: Tab): void {
    for (const [tab, { held }] of this.#subscribers) {
      if (tab === but) continue;
      if (held) held.push(envelope);
      else tab.say(envelope);
    }
  }

  #ask(type: string, payload: object, done: (answer: Envelope) => void): void {
    this.#connection.ask(this.#command(type, payload), done);
  }

  #command(type: string, payload: object): Command {
    return { type, payload: { ...payload, channel: this.channel } };
  }
}
