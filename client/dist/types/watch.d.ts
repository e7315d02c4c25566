import { type Client, type Options } from './core.js';
import { Watch, type WatchOptions } from './watcher.js';
export * from './index.js';
export type { Watch, WatchEvents, WatchGap, WatchOptions, WatchState } from './watcher.js';
/** What {@link withWatch} adds to a client. */
export interface Watches {
    /**
     * Follows channels and patterns such as `orders:*`, over an event stream of its own. After an
     * interruption a channel with history is recovered, and a pattern has a gap.
     */
    watch<T = unknown>(names: string | readonly string[], options?: WatchOptions): Watch<T>;
}
/** Adds `watch` to a client, for example one with documents, and returns that client. */
export declare function withWatch<C extends Client>(client: C): C & Watches;
/** Creates a client with `watch` and connects it. */
export declare function connect(url?: string | URL, options?: Options): Client & Watches;
