import { positionOf, same, type Position } from './position.js';
import { SharedAppearance, type Appearance } from './sharedappearance.js';
import { SharedCopy } from './shareddocument.js';
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
  readonly #appearance = new SharedAppearance();
  #subscribed = false;
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
    const newcomers = this.#newcomers?.length;
    this.#newcomers = this.#newcomers?.filter((newcomer) => newcomer.tab !== tab);
    if (!this.#subscribers.delete(tab) && newcomers === this.#newcomers?.length) return;
    this.#show(this.#appearance.drop(tab));
    if (patient) this.#wait();
    else this.#settle();
  }

  presence(tab: Tab, { id, payload }: Command): void {
    const news = this.#appearance.set(tab, payload);
    const done = (answer: Envelope): void => tab.reply(id, answer);
    if (news) this.#ask('presence', { ...news }, done);
    else done({ type: 'ack', payload: { channel: this.channel } });
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
    this.#appearance.set(tab, command.payload);
    this.#connection.ask(command, (answer) => {
      const newcomers = this.#newcomers!;
      this.#newcomers = undefined;
      const here = newcomers.includes(newcomer);
      const later = newcomers.filter((other) => other !== newcomer);
      const good = answer.type === 'subscribed';
      if (good) this.#begin(answer.payload);
      if (good && here) this.#subscribers.set(tab, { held: undefined });
      else this.#appearance.drop(tab);
      if (here) tab.reply(command.id, answer);
      for (const other of later) this.subscribe(other.tab, other.command);
      this.#settle();
    });
  }

  /** Subscribes again, to get the state of the document. */
  #again(newcomer: Newcomer): void {
    this.#newcomers = [newcomer];
    this.#end();
    this.#ask('subscribe', { recover: this.#position, ...this.#appearance.all }, (answer) => {
      const newcomers = this.#newcomers!;
      if (answer.type === 'subscribed') {
        this.#begin(answer.payload);
        this.#tell({ type: answer.type, payload: answer.payload });
      } else {
        const { code, message } = answer.payload;
        this.#over({ type: 'unsubscribed', payload: { ...answer.payload, channel: this.channel, code: code!, message: message! } });
      }
      this.#newcomers = undefined;
      for (const { tab, command } of newcomers) this.subscribe(tab, command);
      this.#settle();
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
    const subscriber: Subscriber = { held: undefined };
    const here = this.#position;
    const { recover, history } = command.payload as { recover?: Position; history?: number };
    this.#subscribers.set(tab, subscriber);
    this.#show(this.#appearance.set(tab, command.payload));
    const welcome = (payload: Payload): void => {
      if (this.#subscribers.get(tab) !== subscriber) return;
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
    this.#ask('history', recover ? { since: recover, limit: most } : { limit: history }, (answer) => {
      const { lost, more, epoch, offset, anchor, messages } = answer.payload;
      if (answer.type === 'error' && !recover && this.#subscribers.get(tab) === subscriber) {
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
    this.#ask('presence', {}, (answer) => {
      if (this.#subscribers.get(tab) !== subscriber) return;
      if (answer.type !== 'error') return tab.reply(undefined, answer);
      if (answer.payload.code === 'RATE_LIMITED') setTimeout(() => this.#members(tab, subscriber), answer.payload.retryAfter ?? 1000);
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
    if (this.#subscribers.size || this.#newcomers || this.#linger) return;
    this.#end();
    this.#connection.ended(this);
  }

  #end(): void {
    if (this.#subscribed) this.#ask('unsubscribe', {}, () => {});
    this.#subscribed = false;
  }

  /** Handles the end of the subscription by the server. */
  #over(envelope: Envelope): void {
    this.#subscribed = false;
    this.#tell(envelope);
    this.#subscribers.clear();
    if (!this.#newcomers) this.#connection.ended(this);
  }

  #show(news: Appearance | undefined): void {
    if (news && this.#subscribed) this.#ask('presence', { ...news }, () => {});
  }

  #tell(envelope: Envelope, but?: Tab): void {
    for (const [tab, { held }] of this.#subscribers) {
      if (tab === but) continue;
      if (held) held.push(envelope);
      else tab.say(envelope);
    }
  }

  #ask(type: string, payload: object, done: (answer: Envelope) => void): void {
    this.#connection.ask({ type, payload: { ...payload, channel: this.channel } }, done);
  }
}
