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
 * A document that a page changes together with others. Its `value` is the state that the
 * server has confirmed, with the page's own updates on top:
 *
 *     confirmed + flight.units + waiting = value
 *
 * One change is in flight at a time. Updates that are made meanwhile wait, and become the
 * next change. When others have changed the document, the client transforms its own updates
 * to come after their changes. It takes back the updates that collide.
 *
 * After a lost connection the client does not know whether the server made the change in
 * flight. It sends the change again. Until the answer arrives, other events wait (`held`),
 * because they may contain the change. If events and answers arrive over different
 * connections (`apart`), events always wait while a change is in flight.
 */
export class SharedDocument<T = any> extends Emitter<DocumentEvents<T>> {
  readonly channel: string;
  /** The channel's messages and members. */
  readonly subscription: Subscription;
  readonly #host: Host;
  /** The id of this author of changes. It stays the same over all connections. */
  #client: string | undefined;
  readonly #steps = new Steps();

  // What the server has.
  #epoch: string | undefined;
  #version = 0;
  #confirmed: Json = null;

  // What the server does not have yet.
  #localVersion = 0;
  #flight: Flight | undefined;
  #waiting: readonly Unit[] = [];
  /** How many units the client sends one by one, to find the unit that the server rejects. */
  #single = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #held: Envelope[] | undefined;
  /** The state that the events in `held` follow. */
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
    this.channel = subscription.channel;
    this.subscription = subscription;
    subscription.on('frame', (envelope) => this.#frame(envelope));
    subscription.on('state', ({ state, error }) => this.#turn(state, error));
    if (subscription.state === 'subscribed') this.#restart();
  }

  /** The value to show, with the page's own updates. It is frozen, and later values share what stays the same. */
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
    const { units = [], gone = [] } = this.#flight ?? {};
    return [...units, ...gone, ...this.#waiting];
  }

  get canUndo(): boolean {
    return this.#steps.length > 0;
  }

  /**
   * Changes the document by a function that changes its draft or returns a new value, or by a
   * patch. The update is made as a whole or not at all. The page shows it at once. The promise
   * resolves to true if the server accepted it. Throws a {@link RealtimeError} if there is no
   * document (yet, or any more), or if the patch does not fit.
   */
  update(change: Recipe<T> | Patch): Promise<boolean> {
    if (this.#error) throw this.#error;
    const root = this.#value;
    if (root === undefined) throw new RealtimeError('UNAVAILABLE', 'no document yet');
    const ops = typeof change === 'function' ? changes(root, change as Recipe<Json>) : effects(root, change);
    return this.#make(root, ops, true);
  }

  /**
   * Undoes the page's last update as a whole. If others have changed the same since, it undoes nothing,
   * and there is a `conflict`. Returns false if nothing was undone.
   */
  undo(): boolean {
    const root = this.#value;
    const last = root === undefined || this.#error ? undefined : this.#steps.take(root);
    if (last?.ops) void this.#make(root!, last.ops);
    else if (last) this._emit('conflict', { patch: encode(last.step.after, last.step.back), error: overtaken() });
    return last?.ops !== undefined;
  }

  /** Calls `listener` with the value now, if there is one, and after each change: a Svelte store. */
  subscribe(listener: (value: T) => void): () => void {
    if (this.#value !== undefined) listener(this.#value as T);
    return this.on('change', ({ value }) => listener(value));
  }

  /**
   * Ends the use of the document. The document ends with the last of its uses: when `close` was called as often as
   * `document`, and `unsubscribe` as often as `subscribe` of the same channel. Updates that the server does not have
   * yet are lost.
   */
  close(): void {
    this.subscription.unsubscribe();
    if (this.subscription.state === 'unsubscribed') this.#giveUp();
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
        this.#flight = { localVersion, epoch: this.#epoch!, baseVersion, patch, units, gone: [], tries: 0 };
        this.#transmit(this.#flight);
      } else {
        finish(units, true);
        this.#tell();
      }
    }
  }

  /** Takes the updates for the next change. */
  #take(): readonly Unit[] {
    let [count, size] = [0, 0];
    do size += JSON.stringify(this.#waiting[count++]!.ops).length;
    while (!this.#single && size < batch && count < this.#waiting.length);
    this.#single = Math.max(0, this.#single - 1);
    const units = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return units;
  }

  /** Sends the change in flight. It may be sent again: it is made once. */
  #transmit(flight: Flight): void {
    const { localVersion, epoch, baseVersion, patch } = flight;
    this.#client ??= this.#host._key();
    const payload = { channel: this.channel, client: this.#client, localVersion, epoch, baseVersion, patch };
    if (this.#apart) this.#held ??= [];
    this.#host._command('change', payload, (error) => this.#failed(flight, error));
  }

  /** Handles an error that is not about the change itself. */
  #failed(flight: Flight, error: RealtimeError): void {
    if (flight !== this.#flight) return;
    if (passing.includes(error.code)) {
      // The server may have made the change. Then it arrives as the change of another client.
      this.#held ??= [];
      const wait = Math.min(30_000, 1000 * 2 ** flight.tries++) * (0.5 + Math.random() / 2);
      this.#retry = setTimeout(() => this.#transmit(flight), Math.max(error.retryAfter ?? 0, wait));
    } else if (elsewhere.includes(error.code)) {
      // The client sends the change again with the next subscription. Until then the page can read the document.
      if (error.code === 'UNSUPPORTED') this.#release();
    } else {
      this.#release();
      this.#refuse(flight, error);
    }
    this.#settle();
  }

  // From the server.

  /** An event stream brings the client's own change as if another client had made it, before or after the answer. */
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
      // Another epoch does not have the change in flight, and its parents may be missing.
      this.#land();
      const before = this.#value;
      this.#adopt(document);
      this.#waiting.reduce((value, unit) => anew(value, unit, before), this.#confirmed);
    }
  }

  /** Handles the held events, after the server answered the change in flight or the client gave it up. */
  #release(answer?: Envelope): void {
    const [held, early] = [this.#held ?? [], this.#early];
    this.#held = this.#early = undefined;
    const made = answer?.type === 'change-accepted' ? answer.payload.serverVersion! : Infinity;
    if (early) {
      if (made <= early.version && answer!.payload.epoch === early.epoch) this.#accept();
      this.#adopt(early);
    }
    for (const envelope of held) {
      // The client's own change looks like that of another client if it was sent over another connection.
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
      // The change of the server does not fit, so the states differ.
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

  /** Reports whether a version is the next one. A later version means that changes are missing. */
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

  /** Handles the acceptance of the change in flight. It leads from the confirmed state to a new one. */
  #accept(): void {
    for (const unit of this.#flight!.units) this.#confirmed = onTop(this.#confirmed, unit) ?? this.#confirmed;
    this.#done();
  }

  #done(): void {
    const { units, gone } = this.#flight!;
    this.#flight = undefined;
    finish([...units, ...gone], true);
  }

  #rejected({ code, message, epoch, serverVersion, serverState, localVersion }: Payload): void {
    const flight = this.#flight;
    if (localVersion !== flight?.localVersion) return;
    if (epoch !== this.#epoch || serverVersion! > this.#version) {
      this.#adopt({ epoch: epoch!, version: serverVersion!, state: serverState });
    }
    // The change can be made to a newer state, without the units that collide.
    const { units } = flight!;
    const newer = epoch !== flight!.epoch || serverVersion! > flight!.baseVersion;
    if (code === 'CONFLICT' && newer) return this.#land();
    if (units.length + flight!.gone.length > 1) {
      this.#single = units.length;
      return this.#land();
    }
    this.#refuse(flight!, new RealtimeError(code as 'CONFLICT', message!));
  }

  /** Puts the units in flight back into `waiting`, without the lost ones. */
  #land(): void {
    const flight = this.#flight;
    if (!flight) return;
    this.#flight = undefined;
    this.#waiting = [...flight.units, ...this.#waiting];
    for (const unit of flight.gone) this.#drop(unit);
  }

  /** Takes back the units in flight. */
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

  /** Transforms all pending units to come after the changes of the confirmed state, without the rejected ones. */
  #rebase(others: readonly Operation[], refused: readonly Unit[] = []): void {
    this.#steps.meet(this.#confirmed, others);
    this.#sift(follow(others, refused), refused);
  }

  /** Drops the units that do not pass. If they are in flight, the client marks them as lost and still waits for the answer. */
  #sift(passes: (unit: Unit) => boolean, refused: readonly Unit[] = []): void {
    const flight = this.#flight;
    if (flight) flight.units = flight.units.filter((unit) => passes(unit) || !flight.gone.push(unit));
    const out: Unit[] = [];
    this.#waiting = this.#waiting.filter((unit) => passes(unit) || !out.push(unit));
    for (const unit of out) if (!refused.includes(unit)) this.#drop(unit);
  }

  /** Takes a unit back. With an error, the server rejected the unit. Without one, it collides with the changes of others. */
  #drop({ root, made, step, done }: Unit, error?: RealtimeError): void {
    this.#steps.drop(step);
    this.#news.push(() => {
      const name = !error || error.code === 'CONFLICT' ? 'conflict' : 'rejected';
      error ??= overtaken();
      this._emit(name, { patch: encode(root, made), error });
      done(false);
    });
  }

  /** Subscribes again, because something is missing. */
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
    // A closed client may connect again. The document then continues.
    if (this.#error && this.#host.state !== 'closed') this.#giveUp();
    this.#tell();
  }

  // To the page.

  /** Updates the page after an event from the server. */
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

  /** Returns the confirmed state with the own updates. Takes back those that do not fit, and what builds on them. */
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
