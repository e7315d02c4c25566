import { Emitter, RealtimeError, type Subscription } from './core.js';
import type { DocumentEvents, DocumentStatus, Recipe } from './documentevents.js';
import { batch, elsewhere, passing, type Flight } from './flight.js';
import type { Host } from './host.js';
import { difference, guess, type Operation } from './operation.js';
import { encode, resolve, type Patch } from './patch.js';
import { freeze, reuse, type Json } from './tree.js';
import { Steps } from './undo.js';
import { anew, beginning, changes, effects, follow, onTop, type Unit } from './unit.js';
import type { Envelope, Payload, WireDocument } from './wire.js';

/**
 * A document that a page changes together with others. What it shows, `value`, is
 * the state that the server has confirmed with the page's own updates on top of it:
 *
 *     confirmed + flight.units + waiting = value
 *
 * One change is in flight at a time; the updates that are made meanwhile wait and
 * become the next one. When others have changed the document, the own updates are
 * transformed to come after that; those that collide are taken back.
 *
 * Whether the change in flight was made is not known after a lost connection, until
 * the server has answered it again. Nothing else is looked at meanwhile (`held`),
 * because what comes may contain it. So it is from the beginning where events and
 * answers come on different ways (`apart`).
 */
export class SharedDocument<T = any> extends Emitter<DocumentEvents<T>> {
  readonly channel: string;
  /** The channel's messages and members. */
  readonly subscription: Subscription;
  readonly #host: Host;
  /** Names the author of the changes beyond connections. */
  readonly #client: string;
  readonly #steps = new Steps();

  // What the server has.
  #epoch: string | undefined;
  #version = 0;
  #confirmed: Json = null;

  // What it does not have yet.
  #localVersion = 0;
  #flight: Flight | undefined;
  #waiting: readonly Unit[] = [];
  /** So many units go one by one, to find out which of them the server refuses. */
  #single = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #held: Envelope[] | undefined;
  /** The state from which `held` goes on. */
  #early: WireDocument | undefined;

  // What the page sees.
  #value: Json | undefined;
  #error: RealtimeError | undefined;
  #told = '';
  #news: (() => void)[] = [];

  /** @internal */
  constructor(host: Host, subscription: Subscription) {
    super();
    this.#host = host;
    this.#client = host._key();
    this.channel = subscription.channel;
    this.subscription = subscription;
    subscription.on('frame', (envelope) => this.#frame(envelope));
    subscription.on('state', ({ state, error }) => this.#turn(state, error));
    if (subscription.state === 'subscribed') this.#restart();
  }

  /** What is shown, the own updates included. It never changes, and later values share what stays the same. */
  get value(): T | undefined {
    return this.#value as T | undefined;
  }

  get status(): DocumentStatus {
    if (this.#error) return 'closed';
    if (this.#epoch === undefined) return 'loading';
    if (this.subscription.state !== 'subscribed') return 'offline';
    return this.pending ? 'saving' : 'synced';
  }

  /** How many updates the server does not have yet. */
  get pending(): number {
    return this.#units.length;
  }

  get #units(): Unit[] {
    const { units = [], lost = [] } = this.#flight ?? {};
    return [...units, ...lost, ...this.#waiting];
  }

  get canUndo(): boolean {
    return this.#steps.length > 0;
  }

  /**
   * Changes the document, by a function that changes its draft or gives a new value,
   * or by a patch. All of it is done or nothing. It is shown at once; the promise
   * tells whether the server has taken it. Throws a {@link RealtimeError} if there
   * is no document (yet, or any more), or if the patch does not fit.
   */
  update(change: Recipe<T> | Patch): Promise<boolean> {
    if (this.#error) throw this.#error;
    const root = this.#value;
    if (root === undefined) throw new RealtimeError('UNAVAILABLE', 'no document yet');
    const ops = typeof change === 'function' ? changes(root, change as Recipe<Json>) : effects(root, change);
    return this.#make(root, ops, true);
  }

  /**
   * Takes back the last own update: all of it, or nothing and there is a `conflict`, because others have
   * changed the same since. False: nothing was taken back.
   */
  undo(): boolean {
    const root = this.#value;
    const last = root === undefined || this.#error ? undefined : this.#steps.take(root);
    if (last?.ops) void this.#make(root!, last.ops);
    else if (last) this._emit('conflict', { patch: encode(last.step.after, last.step.back), error: overtaken() });
    return last?.ops !== undefined;
  }

  /** Calls `listener` with the value now, if there is one, and whenever it changes: a store, as Svelte knows it. */
  subscribe(listener: (value: T) => void): () => void {
    if (this.#value !== undefined) listener(this.#value as T);
    return this.on('change', ({ value }) => listener(value));
  }

  /** Ends it, and the subscription. What the server does not have yet is given up. */
  close(): void {
    this.subscription.unsubscribe();
    this.#giveUp();
  }

  #giveUp(): void {
    const units = this.#units;
    this.#flight = undefined;
    this.#waiting = [];
    finish(units, false);
  }

  #make(root: Json, ops: readonly Operation[], undoable = false): Promise<boolean> {
    return new Promise((done) => {
      if (!ops.length) return done(true);
      const step = undoable ? this.#steps.add(root, ops) : undefined;
      const unit = { ops, made: ops, root, step, done };
      this.#waiting = [...this.#waiting, unit];
      this.#show(false);
      this.#send();
    });
  }

  // To the server.

  #send(): void {
    while (this.#waiting.length && !this.#flight && !this.#held && this.status === 'saving') {
      const units = this.#take();
      const ops = units.flatMap((unit) => unit.ops);
      const patch = encode(this.#confirmed, ops);
      if (patch) {
        const [localVersion, baseVersion] = [++this.#localVersion, this.#version];
        this.#flight = { localVersion, epoch: this.#epoch!, baseVersion, patch, units, lost: [], tries: 0 };
        this.#transmit(this.#flight);
      } else {
        finish(units, true);
        this.#tell();
      }
    }
  }

  /** Takes what becomes the next change. */
  #take(): readonly Unit[] {
    let [count, size] = [0, 0];
    do size += JSON.stringify(this.#waiting[count++]!.ops).length;
    while (!this.#single && size < batch && count < this.#waiting.length);
    this.#single = Math.max(0, this.#single - 1);
    const units = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return units;
  }

  /** Sends the change in flight, also again: it is made once. */
  #transmit(flight: Flight): void {
    const { localVersion, epoch, baseVersion, patch } = flight;
    const payload = { channel: this.channel, client: this.#client, localVersion, epoch, baseVersion, patch };
    if (this.#apart) this.#held ??= [];
    this.#host._command('change', payload, (error) => this.#failed(flight, error));
  }

  /** There is no answer about the change itself. */
  #failed(flight: Flight, error: RealtimeError): void {
    if (flight !== this.#flight) return;
    if (passing.includes(error.code)) {
      // It may have been made, and come as that of somebody else.
      this.#held ??= [];
      const wait = Math.min(30_000, 1000 * 2 ** flight.tries++) * (0.5 + Math.random() / 2);
      this.#retry = setTimeout(() => this.#transmit(flight), Math.max(error.retryAfter ?? 0, wait));
    } else if (elsewhere.includes(error.code)) {
      // It is sent again with the next subscription. Until then the document can be read.
      if (error.code === 'UNSUPPORTED') this.#release();
    } else {
      this.#release();
      this.#refuse(flight, error);
    }
    this.#settle();
  }

  // From the server.

  /** An event stream brings the own change as that of somebody else, before or after the answer. */
  get #apart(): boolean {
    return this.#host.transport === 'sse';
  }

  #frame(envelope: Envelope): void {
    const { type, payload } = envelope;
    const answer = payload.localVersion !== undefined && payload.localVersion === this.#flight?.localVersion;
    if (type === 'subscribed') this.#begin(payload.document);
    else if (!this.#held) this.#handle(envelope);
    else if (answer) this.#release(envelope);
    else this.#held.push(envelope);
    this.#settle();
  }

  #begin(document: WireDocument | undefined): void {
    const flight = this.#flight;
    if (!document) {
      this.#error = new RealtimeError('FORBIDDEN', 'no document');
    } else if (flight && document.epoch === this.#epoch) {
      this.#held = [];
      this.#early = document;
      this.#transmit(flight);
    } else {
      // Another epoch knows nothing of the change in flight, and nothing may be there to put into.
      this.#land();
      const before = this.#value;
      this.#adopt(document);
      this.#waiting.reduce((value, unit) => anew(value, unit, before), this.#confirmed);
    }
  }

  /** Looks at what was held, now that the change in flight is answered or given up. */
  #release(answer?: Envelope): void {
    const [held, early] = [this.#held ?? [], this.#early];
    this.#held = this.#early = undefined;
    const made = answer?.type === 'change-accepted' ? answer.payload.serverVersion! : Infinity;
    if (early) {
      if (made <= early.version && answer!.payload.epoch === early.epoch) this.#accept();
      this.#adopt(early);
    }
    for (const envelope of held) {
      // Over another connection it looks like that of somebody else.
      this.#handle(envelope.payload.serverVersion === made && answer ? answer : envelope);
    }
    if (answer) this.#handle(answer);
  }

  #handle({ type, payload }: Envelope): void {
    try {
      if (type === 'remote-change') this.#remote(payload);
      else if (type === 'change-accepted') this.#accepted(payload);
      else if (type === 'change-rejected') this.#rejected(payload);
      else if (type === 'gap') this.#restart();
    } catch {
      // What the server made does not fit here: this is not what the server has.
      this.#restart();
    }
  }

  #remote({ epoch, serverVersion, patch }: Payload): void {
    if (!this.#next(epoch, serverVersion!)) return;
    const { value, ops } = resolve(this.#confirmed, patch as Patch);
    this.#confirmed = value;
    this.#version++;
    this.#rebase(ops);
    const answer = this.#flight?.answer;
    if (answer?.serverVersion === this.#version + 1) this.#accepted(answer);
  }

  /** Whether a version is the next one. If it is a later one, something is missing. */
  #next(epoch: string | undefined, version: number): boolean {
    const ahead = version - this.#version;
    if (epoch === this.#epoch && ahead <= 1) return ahead === 1;
    this.#restart();
    return false;
  }

  #accepted(answer: Payload): void {
    const { epoch, serverVersion, localVersion } = answer;
    const flight = this.#flight;
    const own = localVersion === flight?.localVersion;
    if (own && this.#apart && epoch === this.#epoch && serverVersion! > this.#version + 1) {
      flight!.answer = answer;
    } else if (this.#next(epoch, serverVersion!)) {
      if (!own) return this.#restart();
      const { value } = resolve(this.#confirmed, flight!.patch);
      this.#version++;
      this.#accept();
      const expected = this.#confirmed;
      this.#confirmed = value;
      this.#rebase(difference(expected, value, [], true));
    } else if (own && epoch === this.#epoch && serverVersion! <= this.#version) {
      this.#done();
    }
  }

  /** The change in flight was made, which leads from the confirmed state to a new one. */
  #accept(): void {
    for (const unit of this.#flight!.units) this.#confirmed = onTop(this.#confirmed, unit) ?? this.#confirmed;
    this.#done();
  }

  #done(): void {
    const { units, lost } = this.#flight!;
    this.#flight = undefined;
    finish([...units, ...lost], true);
  }

  #rejected({ code, message, epoch, serverVersion, serverState, localVersion }: Payload): void {
    const flight = this.#flight;
    if (localVersion !== flight?.localVersion) return;
    if (epoch !== this.#epoch || serverVersion! > this.#version) {
      this.#adopt({ epoch: epoch!, version: serverVersion!, state: serverState });
    }
    // To a newer state it can be made, except for what collides.
    const { units } = flight!;
    const newer = epoch !== flight!.epoch || serverVersion! > flight!.baseVersion;
    if (code === 'CONFLICT' && newer) return this.#land();
    if (units.length + flight!.lost.length > 1) {
      this.#single = units.length;
      return this.#land();
    }
    this.#refuse(flight!, new RealtimeError(code as 'CONFLICT', message!));
  }

  /** What was in flight has to wait again, except for what has been lost. */
  #land(): void {
    const flight = this.#flight;
    if (!flight) return;
    this.#flight = undefined;
    this.#waiting = [...flight.units, ...this.#waiting];
    for (const unit of flight.lost) this.#drop(unit);
  }

  /** What was in flight is taken back. */
  #refuse(flight: Flight, error: RealtimeError): void {
    this.#land();
    this.#rebase([], flight.units);
    for (const unit of flight.units) this.#drop(unit, error);
  }

  #adopt({ epoch, version, state }: WireDocument): void {
    const value = reuse(this.#confirmed, freeze(state as Json));
    const old = this.#confirmed;
    const ops = guess(epoch === this.#epoch ? difference(old, value, [], true) : beginning(old, value));
    this.#confirmed = value;
    this.#version = version;
    this.#epoch = epoch;
    this.#rebase(ops);
  }

  /** Has all pending units come after what was done to the confirmed state, and without those that are refused. */
  #rebase(others: readonly Operation[], refused: readonly Unit[] = []): void {
    this.#steps.meet(this.#confirmed, others);
    this.#sift(follow(others, refused), refused);
  }

  /** Leaves out the units that do not pass. What is in flight is lost, but for the answer. */
  #sift(passes: (unit: Unit) => boolean, refused: readonly Unit[] = []): void {
    const flight = this.#flight;
    if (flight) flight.units = flight.units.filter((unit) => passes(unit) || !flight.lost.push(unit));
    const out: Unit[] = [];
    this.#waiting = this.#waiting.filter((unit) => passes(unit) || !out.push(unit));
    for (const unit of out) if (!refused.includes(unit)) this.#drop(unit);
  }

  /** Takes a unit back: with an error because the server does not accept it, else because of others. */
  #drop({ root, made, step, done }: Unit, error?: RealtimeError): void {
    this.#steps.drop(step);
    this.#news.push(() => {
      const name = !error || error.code === 'CONFLICT' ? 'conflict' : 'rejected';
      error ??= overtaken();
      this._emit(name, { patch: encode(root, made), error });
      done(false);
    });
  }

  /** Subscribes anew, because something is missing. */
  #restart(): void {
    if (this.subscription.state !== 'subscribed') return;
    this.#host._command('unsubscribe', { channel: this.channel }, () => {});
    this.subscription._up();
  }

  #turn(state: Subscription['state'], error: RealtimeError | undefined): void {
    clearTimeout(this.#retry);
    this.#held = this.#early = undefined;
    error ??= new RealtimeError('CLOSED', 'document closed');
    this.#error = state === 'unsubscribed' ? error : undefined;
    // A client that was closed may connect again, and go on.
    if (this.#error && this.#host.state !== 'closed') this.#giveUp();
    this.#tell();
  }

  // To the page.

  /** After something came from the server. */
  #settle(): void {
    this.#show(true);
    this.#send();
  }

  #show(remote: boolean): void {
    if (this.#epoch === undefined) return this.#tell();
    const previous = this.#value;
    const value = reuse(previous, this.#fitted());
    this.#value = value;
    if (value !== previous) this._emit('change', { value: value as T, previous: previous as T, remote });
    for (const tell of this.#news.splice(0)) tell();
    this.#tell();
  }

  /** The confirmed state with the own updates. Those that do not fit are taken back, with what builds on them. */
  #fitted(): Json {
    for (;;) {
      let value = this.#confirmed;
      const misfit = [...(this.#flight?.units ?? []), ...this.#waiting].find((unit) => {
        const next = onTop(value, unit);
        value = next ?? value;
        return next === undefined;
      });
      if (!misfit) return value;
      this.#sift(follow([], [misfit]));
    }
  }

  #tell(): void {
    const { status, pending } = this;
    const told = `${status} ${pending}`;
    if (told === this.#told) return;
    this.#told = told;
    this._emit('status', { status, pending, error: this.#error });
  }
}

function overtaken(): RealtimeError {
  return new RealtimeError('CONFLICT', 'others changed the same');
}

function finish(units: readonly Unit[], saved: boolean): void {
  for (const unit of units) unit.done(saved);
}
