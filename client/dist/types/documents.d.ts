import { Client, type Options, type SubscribeOptions } from './core.js';
import { SharedDocument } from './document.js';
export * from './index.js';
export type { SharedDocument } from './document.js';
export type { DocumentEvents, DocumentStatus, Recipe, Refusal } from './documentevents.js';
export { increment } from './increment.js';
export type { Patch, PatchOperation } from './patch.js';
/** A client with documents. */
export declare class Realtime extends Client {
    #private;
    /**
     * Subscribes to a channel and returns its document. A second call returns the same one. It ends when `close` was
     * called as often as this.
     */
    document<T = any>(channel: string, options?: SubscribeOptions): SharedDocument<T>;
}
/** Creates a client with documents and connects it. */
export declare function connect(url?: string | URL, options?: Options): Realtime;
