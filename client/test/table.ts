import type { RealtimeError, Subscription } from '../src/index.js';
import { SharedDocument } from '../src/document.js';
import type { Host } from '../src/host.js';
import { Emitter } from '../src/index.js';
import { pointer, type Operation } from '../src/operation.js';
import { resolve, type Patch } from '../src/patch.js';
import { leaves } from '../src/transform.js';
import type { Json } from '../src/tree.js';
import type { Envelope, Payload } from '../src/wire.js';

/** Numbers that are random and the same in every run. */
export function dice(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

type Change = Payload & { client: string; localVersion: number; baseVersion: number; patch: Patch };

/** A server with one document, which decides as the real one does. */
export class Table {
  version = 0;
  readonly seats: Seat[] = [];
  readonly #log: (readonly string[])[] = [];
  /** The state at each version. That a change sets a value can be seen in this one or in that of its author. */
  readonly #states: Json[];
  readonly #made = new Map<string, number>();

  constructor(
    public state: Json,
    /** Called after each change. */
    readonly check: (state: any) => void = () => {},
  ) {
    this.#states = [state];
  }

  seat(): Seat {
    const seat = new Seat(this);
    this.seats.push(seat);
    return seat;
  }

  get document(): Payload {
    return { document: { epoch: 'e', version: this.version, state: structuredClone(this.state) } };
  }

  handle(seat: Seat, { client, localVersion, baseVersion, patch }: Change): void {
    const key = `${client} ${localVersion}`;
    const about = { channel: 'd', epoch: 'e', localVersion };
    const before = this.#made.get(key);
    if (before) return seat.say('change-accepted', { ...about, serverVersion: before, duplicate: true });
    try {
      const { value, ops } = resolve(this.state, patch);
      const set = resolve(this.#states[baseVersion]!, patch).ops.filter(({ kind }) => kind.endsWith('set'));
      const touched = [...ops, ...set].flatMap((op) => paths(op, Array.isArray(patch)));
      if (this.#log.slice(baseVersion).some((other) => overlap(other, touched))) throw new Error('overlap');
      this.state = value;
      this.#states.push(value);
      this.#log.push(touched);
      this.#made.set(key, ++this.version);
      for (const other of this.seats) {
        if (other === seat) other.say('change-accepted', { ...about, serverVersion: this.version });
        else other.say('remote-change', { channel: 'd', epoch: 'e', serverVersion: this.version, patch });
      }
    } catch (error) {
      const serverState = structuredClone(this.state);
      const refusal = { ...about, serverVersion: this.version, serverState, message: (error as Error).message };
      seat.say('change-rejected', { ...refusal, code: 'CONFLICT' });
      return;
    }
    this.check(this.state);
  }
}

/** What a change touches: an array as a whole, unless it is appended to. */
function paths(op: Operation, whole: boolean): string[] {
  if (op.kind === 'test') return [];
  if (op.kind === 'increment') return [`${pointer(op.path)}/~+`];
  if (op.kind === 'remove' || (op.kind === 'insert' && !op.end)) return [pointer(op.path.slice(0, -1))];
  return whole ? [pointer(op.path)] : leaves(op).map(({ path }) => pointer(path));
}

function overlap(a: readonly string[], b: readonly string[]): boolean {
  const leads = (x: string, y: string): boolean => x === y || y.startsWith(`${x}/`);
  return a.some((x) => b.some((y) => !(x === y && x.endsWith('/~+')) && (leads(x, y) || leads(y, x))));
}

/** A client at the table, with what is on the way to it and from it. */
export class Seat {
  readonly doc: SharedDocument<any>;
  readonly #table: Table;
  readonly #subscription: Emitter<any> & { state: string; channel: string; unsubscribe(): void; _up(): void };
  #up: Change[] = [];
  #down: Envelope[] = [];

  constructor(table: Table) {
    this.#table = table;
    this.#subscription = Object.assign(new Emitter<any>(), {
      state: 'unsubscribed',
      channel: 'd',
      unsubscribe: () => {},
      _up: () => this.say('subscribed', table.document),
    });
    const host = {
      state: 'open',
      transport: 'websocket',
      _key: () => 'c' + Math.random(),
      _command: (type: string, payload: Payload, _fail?: (error: RealtimeError) => void) => {
        if (type === 'change' && this.online) this.#up.push(structuredClone(payload) as Change);
      },
    };
    this.doc = new SharedDocument(host as unknown as Host, this.#subscription as unknown as Subscription);
    this.connect();
    this.deliver(1);
  }

  get online(): boolean {
    return this.#subscription.state === 'subscribed';
  }

  connect(): void {
    this.#subscription.state = 'subscribed';
    this.#subscription._emit('state', { state: 'subscribed' });
    this.say('subscribed', this.#table.document);
  }

  /** Loses all that is on the way. */
  drop(): void {
    [this.#up, this.#down] = [[], []];
    this.#subscription.state = 'subscribing';
    this.#subscription._emit('state', { state: 'subscribing' });
  }

  say(type: string, payload: Payload): void {
    if (this.online) this.#down.push(structuredClone({ type, payload: { channel: 'd', ...payload } }));
  }

  /** Has the server look at so many changes. */
  submit(n = Infinity): void {
    for (; n > 0 && this.#up.length; n--) this.#table.handle(this, this.#up.shift()!);
  }

  /** Brings so many frames of the server. */
  deliver(n = Infinity): void {
    for (; n > 0 && this.#down.length; n--) this.#subscription._emit('frame', this.#down.shift()!);
  }

  get idle(): boolean {
    return !this.#up.length && !this.#down.length;
  }
}

/** Brings everything everywhere. */
export function settle({ seats }: Table): void {
  for (const seat of seats) if (!seat.online) seat.connect();
  for (let i = 0; i < 10_000 && seats.some((seat) => !seat.idle); i++) {
    for (const seat of seats) {
      seat.submit();
      seat.deliver();
    }
  }
}
