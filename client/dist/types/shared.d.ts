import type { Options, TokenSource } from './options.js';
/** The options of a client, and what tabs need to share its connection. */
export type SharedOptions = Options & {
    /**
     * Tabs share a connection if they have the same group and the same address, and if all of them have a token or none
     * has one. Name the user here, because the server reads a cookie only once, when the connection opens. With a
     * `token` the group is optional.
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
 * Returns options for `connect`. With them all tabs of a browser use one connection. If the browser has no
 * SharedWorker, or the worker does not start, the client opens a connection of its own.
 */
export declare function shared({ group, worker, ...options }: SharedOptions): Options;
