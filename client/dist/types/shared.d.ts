import type { Options, TokenSource } from './options.js';
/** The options of a client, and what tabs need to share its connection. */
export type SharedOptions = Options & {
    /**
     * Only tabs with the same group, the same address, and a token or none, share a connection. Name the user here: a
     * cookie is read once, when the connection is made. May be left out only with a `token`.
     */
    group?: string;
    /** The address of `sharedworker.js`, which must be of the page's origin. Default: beside this script. */
    worker?: string | URL;
} & ({
    token: TokenSource;
} | {
    group: string;
});
/**
 * Returns options for `connect` with which all tabs of a browser use one connection. Where the browser has no
 * SharedWorker, or the worker does not start, the client has a connection of its own.
 */
export declare function shared({ group, worker, ...options }: SharedOptions): Options;
