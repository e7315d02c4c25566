import { Emitter } from './emitter.js';
import { applyDiff, applySnapshot, type Change, type Member } from './members.js';
import type { Payload } from './wire.js';

/** What a page is told about the members of a channel. */
export interface PresenceEvents {
  enter: Member;
  leave: Member;
  update: Member;
  /** The members are known, or known again after a reconnect. */
  sync: ReadonlyMap<string, Member>;
}

/** What a member shows of itself. */
export interface Appearance {
  /** `online` (default), `away`, or any short word. */
  status?: string;
  /** Anything small that the others may know. */
  info?: Record<string, unknown>;
}

/** Who is in a channel. It stays empty in channels without presence. */
export class Presence extends Emitter<PresenceEvents> {
  readonly #send: (appearance: Appearance) => void;
  #members: ReadonlyMap<string, Member> = new Map();
  #count = 0;
  /** The number of the frame that led here. */
  #seq = 0;
  /** Diffs that came before their snapshot; undefined when it is there. */
  #early: Payload[] | undefined = [];

  /** @internal */
  constructor(send: (appearance: Appearance) => void) {
    super();
    this.#send = send;
  }

  /** The members by user. In a large room these are not all of them, see `count`. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** The exact number of members. */
  get count(): number {
    return this.#count;
  }

  /** Changes how this client appears to the others, now and after every reconnect. */
  update(appearance: Appearance): void {
    this.#send(appearance);
  }

  /** Waits for a snapshot. @internal */
  _expect(): void {
    this.#early = [];
  }

  /** @internal */
  _receive(payload: Payload): void {
    if (payload.users) {
      const early = this.#early ?? [];
      this.#early = undefined;
      this.#apply(applySnapshot(this.#members, payload), payload);
      for (const diff of early) this.#diff(diff);
      this._emit('sync', this.#members);
    } else if (this.#early) {
      this.#early.push(payload);
    } else {
      this.#diff(payload);
    }
  }

  #diff(payload: Payload): void {
    const { seq = this.#seq + 1 } = payload;
    // It took longer than the snapshot that it is part of.
    if (seq <= this.#seq) return;
    // One before it was lost, so ask who is there.
    if (seq > this.#seq + 1) this.#send({});
    this.#apply(applyDiff(this.#members, payload), payload);
  }

  /** Forgets everybody, without a word. @internal */
  _clear(): void {
    this.#members = new Map();
    this.#count = 0;
    this._expect();
  }

  #apply({ members, events }: Change, { count, seq = this.#seq }: Payload): void {
    this.#seq = seq;
    this.#members = members;
    this.#count = count ?? members.size;
    for (const { name, member } of events) this._emit(name, member);
  }
}
