import type { Address, Tags } from './message.js';
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
    /** The server's time, in milliseconds. For a message it is the time of publishing. */
    timestamp?: number | undefined;
    payload: Payload;
}
/** The fields of all payloads. The type decides which of them exist. */
export interface Payload {
    channel?: string;
    pattern?: string;
    version?: number;
    connection?: string;
    user?: string;
    heartbeat?: number | undefined;
    secret?: string;
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
    tags?: Tags;
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
    result?: unknown;
    code?: string | number;
    message?: string;
    retryAfter?: number | undefined;
    reason?: string;
    reconnect?: boolean;
    after?: number | undefined;
}
/** A message in the list of `subscribed` or `history`, which has the channel beside the list. */
export interface WireMessage {
    timestamp?: number;
    offset?: number;
    anchor?: string;
    event?: string;
    sender?: string;
    to?: Address;
    from?: Address;
    tags?: Tags;
    content?: unknown;
}
/** The state of a document. */
export interface WireDocument {
    epoch: string;
    version: number;
    state: unknown;
}
/** Facts about a member besides its id. */
export interface WireInfo {
    status?: string;
    [field: string]: unknown;
}
/** Reads an envelope; undefined if the text is none, or a broken one that no command waits for. */
export declare function parse(text: string): Envelope | undefined;
/**
 * Checks the types of all fields, so that the code above need not. An envelope with a wrong
 * type is dropped. If it answers a command, it becomes an error instead. Otherwise the command
 * would wait for ever.
 */
export declare function examine(e: any): Envelope | undefined;
