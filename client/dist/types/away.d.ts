import type { Appearance } from './index.js';
/** The part of a browser's global object that shows whether somebody uses the page. */
export interface AwayScope {
    addEventListener(type: string, listener: () => void, options: AddEventListenerOptions): void;
    readonly document?: {
        readonly visibilityState: string;
        addEventListener(type: string, listener: () => void, options: AddEventListenerOptions): void;
    };
}
export interface AwayOptions {
    /** The time without a key, pointer or wheel after which the user is away, in milliseconds; `Infinity` for never. Default: 300,000. */
    idle?: number;
    /** The time for which the page is hidden before the user is away, in milliseconds. Default: 60,000. */
    hidden?: number;
    /** What the others see then. Default: `away`. */
    away?: string;
    /** What they see when the user is back. Default: `online`. */
    present?: string;
    /** The source of the events. Default: the global object; without a document nothing happens. */
    page?: AwayScope;
}
/**
 * Shows the others that the user is away while the page is hidden, or nobody uses it, for a while. `presence` is
 * that of a subscription. Returns a function that stops it.
 */
export declare function autoAway(presence: {
    update(appearance: Appearance): void;
}, options?: AwayOptions): () => void;
