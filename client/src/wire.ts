// The envelopes of the protocol, with the fields that the client reads.

import type { Address, Tags } from './message.js';
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
  /** The server's time, in milliseconds. For a message it is the time of publishing. */
  timestamp?: number | undefined;
  payload: Payload;
}

/** The fields of all payloads. The type decides which of them exist. */
export interface Payload {
  channel?: string;
  pattern?: string;
  // connected, authenticated
  version?: number;
  connection?: string;
  user?: string;
  heartbeat?: number | undefined;
  secret?: string;
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
  tags?: Tags;
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
  // result
  result?: unknown;
  // error, unsubscribed, close
  code?: string | number;
  message?: string;
  retryAfter?: number | undefined;
  reason?: string;
  reconnect?: boolean;
  // reconnect
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
export function parse(text: string): Envelope | undefined {
  try {
    return examine(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Checks the types of all fields, so that the code above need not. An envelope with a wrong
 * type is dropped. If it answers a command, it becomes an error instead. Otherwise the command
 * would wait for ever.
 */
export function examine(e: any): Envelope | undefined {
  if (typeof e?.type !== 'string') return undefined;
  const payload = examinePayload(e.payload ?? {});
  if (payload) return { ...e, timestamp: isNumber(e.timestamp) ? e.timestamp : undefined, payload };
  if (e.id === undefined) return undefined;
  return { type: 'error', id: e.id, payload: { code: 'INTERNAL', message: `broken ${e.type}` } };
}

/** Returns undefined if a field has a wrong type. Leaves out an invalid wait. */
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

/** A message in a list may have an offset. Its content belongs to the app. */
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
