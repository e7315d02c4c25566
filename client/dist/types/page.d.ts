type Listen = (type: string, listener: (event: Event) => void, options: {
    signal: AbortSignal;
}) => void;
/** The part of a browser's global object that tells what becomes of the page. */
export interface PageScope {
    addEventListener?: Listen;
    readonly navigator?: {
        readonly onLine?: boolean;
    };
    readonly document?: {
        readonly visibilityState: string;
        addEventListener: Listen;
    };
}
/** What a page tells its connection. */
export interface PageHooks {
    /** The network or the user is back; timers may have slept until now. */
    wake(): void;
    /** The network is gone, says the browser. */
    offline(): void;
    /** The page goes into the back/forward cache, which is closed to pages with a connection. */
    suspend(): void;
    /** The page came back from there. */
    resume(): void;
}
/** Watches a page until the returned function is called. Workers have no document, Node.js no events. */
export declare function watchPage(page: PageScope, hooks: PageHooks): () => void;
export {};
