import type { Tab } from './sharedtab.js';
import type { Command } from './wire.js';

/** What a tab shows of its user. */
export interface Appearance {
  status?: unknown;
  info?: unknown;
}

/**
 * What the tabs in a room show. Other clients see one connection for all of them. It shows what the server would show
 * of several connections: the highest status (the newest of equal ones), and the newest info.
 */
export class SharedAppearance {
  /** In the order in which they were set. */
  readonly #tabs = new Map<Tab, Appearance>();
  /** What the server knows. */
  #shown: Appearance = {};

  /** Sets what a tab shows. Returns what the worker must send to the server; undefined if nothing has changed. */
  set(tab: Tab, { status, info }: Command['payload']): Appearance | undefined {
    const appearance = { ...this.#tabs.get(tab), ...(status !== undefined && { status }), ...(info !== undefined && { info }) };
    this.#tabs.delete(tab);
    this.#tabs.set(tab, appearance);
    return this.#change();
  }

  /** Removes a tab that has left the room. */
  drop(tab: Tab): Appearance | undefined {
    return this.#tabs.delete(tab) && this.#tabs.size ? this.#change() : undefined;
  }

  /** What a new subscription shows. */
  get all(): Appearance {
    return this.#shown;
  }

  #change(): Appearance | undefined {
    const now: Appearance = { ...this.#shown };
    if (now.status !== undefined) now.status = 'online';
    let highest = -1;
    for (const { status, info } of this.#tabs.values()) {
      if (info !== undefined) now.info = info;
      if (rank(status) < highest) continue;
      highest = rank(status);
      now.status = status ?? (now.status && 'online');
    }
    const news: Appearance = {};
    if (now.status !== this.#shown.status) news.status = now.status;
    if (JSON.stringify(now.info) !== JSON.stringify(this.#shown.info)) news.info = now.info;
    this.#shown = now;
    return Object.keys(news).length ? news : undefined;
  }
}

/** Ranks a status as the server does: a word of the app is above `online`, and `online` above `away`. */
function rank(status: unknown): number {
  if (status === 'away') return 0;
  return status === undefined || status === 'online' ? 1 : 2;
}
