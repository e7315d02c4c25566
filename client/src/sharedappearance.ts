import { retryWait } from './sharedretry.js';
import type { Tab } from './sharedtab.js';
import type { Command, Envelope } from './wire.js';

/** What a tab shows of its user. */
export interface Appearance {
  status?: unknown;
  info?: unknown;
}

/** The fields of an appearance, perhaps with others. */
type Fields = Appearance | Command['payload'];

/** What a tab shows, and when it was set: a later one has a higher number. */
interface Entry extends Appearance {
  readonly at: number;
}

/** A command of a tab that changes what it shows. */
interface Change {
  readonly tab: Tab;
  readonly command: Command;
}

/**
 * What the tabs in a room show. Other clients see one connection for all of them. It shows what the server would show
 * of several connections: the highest status (the newest of equal ones), and the newest info. The changes go to the
 * server one after the other, so that the server's answer belongs to one of them. What the server has not accepted
 * counts as not shown.
 */
export class SharedAppearance {
  readonly #ask: (news: Appearance, done: (answer: Envelope) => void) => void;
  /** By subscribed tab. */
  readonly #tabs = new Map<Tab, Entry>();
  /** The changes that are not sent yet. */
  #changes: Change[] = [];
  /** What the server has accepted. */
  #shown: Appearance = {};
  #count = 0;
  /** The room has a subscription. */
  #live = false;
  /** A change is in flight, or waits to be sent again. */
  #busy = false;

  /** Calls `ask` to send news to the server. */
  constructor(ask: (news: Appearance, done: (answer: Envelope) => void) => void) {
    this.#ask = ask;
  }

  /** The server has accepted a subscription that shows this. */
  start(appearance: Fields): void {
    this.#live = true;
    this.#shown = known(appearance);
    this.#next();
  }

  /** The room has no subscription until the next start. */
  stop(): void {
    this.#live = false;
  }

  /** Forgets the subscribed tabs. */
  clear(): void {
    this.stop();
    for (const tab of [...this.#tabs.keys()]) this.drop(tab);
    this.#shown = {};
  }

  /** Adds a subscribed tab. */
  add(tab: Tab, appearance: Fields): void {
    this.#set(tab, appearance);
    this.#next();
  }

  /** Removes a tab. Its changes have nothing to show any more. */
  drop(tab: Tab): void {
    for (const change of this.#changes) if (change.tab === tab) acknowledge(change);
    this.#changes = this.#changes.filter((change) => change.tab !== tab);
    if (this.#tabs.delete(tab)) this.#next();
  }

  /** Changes what a tab shows, as soon as the tab is subscribed. Answers the command. */
  change(tab: Tab, command: Command): void {
    this.#changes.push({ tab, command });
    this.#next();
  }

  /** What a new subscription shows. */
  get all(): Appearance {
    const now: Appearance = { ...this.#shown };
    if (!this.#tabs.size) return now;
    if (now.status !== undefined) now.status = 'online';
    let highest = -1;
    for (const { status, info } of [...this.#tabs.values()].sort((a, b) => a.at - b.at)) {
      if (info !== undefined) now.info = info;
      if (rank(status) < highest) continue;
      highest = rank(status);
      now.status = status ?? (now.status && 'online');
    }
    return known(now);
  }

  /** What the server must learn; undefined if nothing. */
  get #news(): Appearance | undefined {
    const { status, info } = this.all;
    const news = known({
      status: status === this.#shown.status ? undefined : status,
      info: JSON.stringify(info) === JSON.stringify(this.#shown.info) ? undefined : info,
    });
    return Object.keys(news).length ? news : undefined;
  }

  /** Sets what a tab shows. Returns a function that undoes it. */
  #set(tab: Tab, appearance: Fields): () => void {
    const old = this.#tabs.get(tab);
    const entry = { ...old, ...known(appearance), at: ++this.#count };
    this.#tabs.set(tab, entry);
    return () => {
      if (this.#tabs.get(tab) !== entry) return;
      if (old) this.#tabs.set(tab, old);
    };
  }

  /** Shows the next change. What no change has brought, a tab that has come or left, is shown as well. */
  #next(): void {
    if (!this.#live || this.#busy) return;
    const change = this.#changes.find(({ tab }) => this.#tabs.has(tab));
    this.#changes = this.#changes.filter((other) => other !== change);
    this.#busy = true;
    this.#send(change, change && this.#set(change.tab, change.command.payload), 0);
  }

  #send(change: Change | undefined, undo: (() => void) | undefined, attempt: number): void {
    const news = this.#news;
    if (!news || !this.#live) {
      // The next subscription shows it.
      this.#busy = false;
      if (!change) return;
      acknowledge(change);
      return this.#next();
    }
    this.#ask(news, (answer) => {
      const wait = retryWait(answer, attempt);
      if (wait !== undefined) return void setTimeout(() => this.#send(change, undo, attempt + 1), wait);
      this.#busy = false;
      // News without a command would be rejected again and again.
      if (answer.type === 'error' && undo) undo();
      else this.#shown = { ...this.#shown, ...news };
      change?.tab.reply(change.command.id, answer);
      this.#next();
    });
  }
}

/** Leaves out what is undefined. */
function known({ status, info }: Fields): Appearance {
  return { ...(status !== undefined && { status }), ...(info !== undefined && { info }) };
}

function acknowledge({ tab, command }: Change): void {
  tab.reply(command.id, { type: 'ack', payload: { channel: command.payload.channel! } });
}

/** Ranks a status as the server does: a word of the app is above `online`, and `online` above `away`. */
function rank(status: unknown): number {
  if (status === 'away') return 0;
  return status === undefined || status === 'online' ? 1 : 2;
}
