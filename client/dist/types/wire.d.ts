import type { Address } from './message.js';
/** What the client sends. */
export interface Command {
    type: string;
    id?: string | number;
    payload: {
        channel?: string;
        [field: string]: unknown;
    };
}
/** What the server sends. */
export interface Envelope {
    type: string;
    id?: string | number;
    /** The server's clock, in milliseconds; of a message: when it was published. */
    timestamp?: number | undefined;
    payload: Payload;
}
/** The fields of all payloads; which of them there are depends on the type. */
export interface Payload {
    channel?: string;
    version?: number;
    connection?: string;
    user?: string;
    heartbeat?: number | undefined;
    expires?: number;
    epoch?: string;
    offset?: number;
    anchor?: string;
    recovered?: boolean;
    messages?: WireMessage[];
    lost?: boolean;
    more?: boolean;
    content?: unknown;
    event?: string;
    sender?: string;
    to?: Address;
    from?: Address;
    degraded?: boolean;
    duplicate?: boolean;
    users?: string[];
    entered?: string[];
    left?: string[];
    updated?: string[];
    info?: Record<string, WireInfo> | undefined;
    count?: number;
    seq?: number;
    document?: WireDocument;
    localVersion?: number;
    serverVersion?: number;
    serverState?: unknown;
    patch?: unknown;
    code?: string | number;
    message?: string;
    retryAfter?: number | undefined;
    reason?: string;
    reconnect?: boolean;
    after?: number | undefined;
}
/** A message among those of `subscribed` and `history`, where the channel stands beside them. */
export interface WireMessage {
    timestamp?: number;
    offset?: number;
    anchor?: string;
    event?: string;
    sender?: string;
    to?: Address;
    from?: Address;
    content?: unknown;
}
/** The state of a document. */
export interface WireDocument {
    epoch: string;
    version: number;
    state: unknown;
}
/** What there is to know of a member beside its name. */
export interface WireInfo {
    status?: string;
    [field: string]: unknown;
}
/** Reads an envelope; undefined when the text is none, or a broken one that nobody waits for. */
export declare function parse(text: string): Envelope | undefined;
/**
 * Checks the types of all fields, so that nothing above has to. An envelope with a
 * wrong one is lost; if it is the answer to a command, it becomes an error, so that
 * nobody waits for it for ever.
 */
export declare function examine(e: any): Envelope | undefined;
