import { Client, type Options, type SubscribeOptions, type Subscription } from './core.js';
import { SharedDocument } from './document.js';

export * from './index.js';
export type { SharedDocument } from './document.js';
export type { DocumentEvents, DocumentStatus, Recipe, Refusal } from './documentevents.js';
export { increment } from './increment.js';
export type { Patch, PatchOperation } from './patch.js';

/** A client with documents. */
export class Realtime extends Client {
  readonly #documents = new WeakMap<Subscription, SharedDocument>();

  /**
   * Subscribes to a channel and returns its document. A second call returns the same one. It ends when `close` was
   * called as often as this.
   */
  document<T = any>(channel: string, options?: SubscribeOptions): SharedDocument<T> {
    const subscription = this.subscribe(channel, options);
    let document = this.#documents.get(subscription);
    if (!document) this.#documents.set(subscription, (document = new SharedDocument(this, subscription)));
    return document;
  }
}

/** Creates a client with documents and connects it. */
export function connect(url?: string | URL, options?: Options): Realtime {
  return new Realtime(url, options).connect();
}
