// The envelopes of the protocol, as far as the client looks into them.

import type { Address } from './message.js';

/** What the client sends. */
export interface Command {
  type: string;
  id?: string | number;
  payload: { channel?: string; [field: string]: unknown };
}

/** What the server sends. */
export interface Envelope {
  type: string;
  id?: string | number;
  /** The server's clock, in milliseconds; of a message: when it was published. */
  timestamp?: number;
  payload: Payload;
}

/** The fields of all payloads; which of them there are depends on the type. */
export interface Payload {
  channel?: string;
  // connected, authenticated
  connection?: string;
  user?: string;
  heartbeat?: number;
  expires?: number;
  // positions
  epoch?: string;
  offset?: number;
  anchor?: string;
  // subscribed, history
  recovered?: boolean;
  messages?: WireMessage[];
  lost?: boolean;
  more?: boolean;
  // message
  content?: unknown;
  event?: string;
  sender?: string;
  to?: Address;
  from?: Address;
  // ack
  degraded?: boolean;
  duplicate?: boolean;
  // presence
  users?: string[];
  entered?: string[];
  left?: string[];
  updated?: string[];
  info?: Record<string, WireInfo>;
  count?: number;
  seq?: number;
  // documents
  document?: WireDocument;
  localVersion?: number;
  serverVersion?: number;
  serverState?: unknown;
  patch?: unknown;
  // error, unsubscribed, close
  code?: string | number;
  message?: string;
  retryAfter?: number | undefined;
  reason?: string;
  reconnect?: boolean;
  // reconnect
  after?: number;
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

/** Reads an envelope; undefined when the text is none. */
export function parse(text: string): Envelope | undefined {
  try {
    const e = JSON.parse(text) as Envelope;
    return typeof e?.type === 'string' ? { ...e, payload: e.payload ?? {} } : undefined;
  } catch {
    return undefined;
  }
}
