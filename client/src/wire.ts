// The envelopes of the protocol, as far as the client looks into them.

import type { Address } from './message.js';
import { waitOf } from './time.js';

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
  timestamp?: number | undefined;
  payload: Payload;
}

/** The fields of all payloads; which of them there are depends on the type. */
export interface Payload {
  channel?: string;
  // connected, authenticated
  version?: number;
  connection?: string;
  user?: string;
  heartbeat?: number | undefined;
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
  info?: Record<string, WireInfo> | undefined;
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
export function parse(text: string): Envelope | undefined {
  try {
    return examine(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Checks the types of all fields, so that nothing above has to. An envelope with a
 * wrong one is lost; if it is the answer to a command, it becomes an error, so that
 * nobody waits for it for ever.
 */
export function examine(e: any): Envelope | undefined {
  if (typeof e?.type !== 'string') return undefined;
  const payload = examinePayload(e.payload ?? {});
  if (payload) return { ...e, timestamp: isNumber(e.timestamp) ? e.timestamp : undefined, payload };
  if (e.id === undefined) return undefined;
  return { type: 'error', id: e.id, payload: { code: 'INTERNAL', message: `broken ${e.type}` } };
}

/** Undefined: a field has a wrong type. A wait that is none is left out. */
function examinePayload(payload: any): Payload | undefined {
  if (!isObject(payload)) return undefined;
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(payload)) {
    if (free.includes(name)) checked[name] = value;
    else if (value === null) continue;
    else if (waits.includes(name)) checked[name] = waitOf(value);
    else if (kinds.some(([names, is]) => names.includes(name) && !is(value))) return undefined;
    else checked[name] = value;
  }
  return checked;
}

const isString = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown, is: (element: unknown) => boolean): boolean => Array.isArray(value) && value.every(is);

/** A message among others has an offset, or none; what is in it is the application's. */
const isMessage = (value: any): boolean => isObject(value) && isNumber(value.offset ?? 0);

const isDocument = (value: any): boolean => isObject(value) && isString(value.epoch) && isNumber(value.version);

/** Fields that become waits, in milliseconds. */
const waits = ['heartbeat', 'after', 'retryAfter'];
/** Fields that may hold any JSON, null included. */
const free = ['content', 'patch', 'serverState'];
/** Fields by their types. */
const kinds: readonly (readonly [readonly string[], (value: unknown) => boolean])[] = [
  ['channel connection user epoch anchor event sender message reason'.split(' '), isString],
  ['version expires offset count seq localVersion serverVersion'.split(' '), isNumber],
  ['users entered left updated'.split(' '), (value) => isList(value, isString)],
  [['messages'], (value) => isList(value, isMessage)],
  [['to', 'from', 'info'], isObject],
  [['document'], isDocument],
  [['code'], (value) => isString(value) || isNumber(value)],
];
