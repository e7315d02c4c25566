import { Emitter } from './emitter.js';
import { applyDiff, applySnapshot, type Change, type Member } from './members.js';
import type { Payload } from './wire.js';

/** The events of the members of a channel. */
export interface PresenceEvents {
  enter: Member;
  leave: Member;
  update: Member;
  /** The client has the list of members, for the first time or again after a reconnect. */
  sync: ReadonlyMap<string, Member>;
}

/** What a member shows to the others. */
export interface Appearance {
  /** `online` (default), `away`, or any short word. */
  status?: string;
  /** A small value that the others may know. */
  info?: Record<string, unknown>;
}

/** The members of a channel. It stays empty in channels without presence. */
export class Presence extends Emitter<PresenceEvents> {
  readonly #send: (appearance: Appearance) => void;
  #members: ReadonlyMap<string, Member> = new Map();
  #count = 0;
  /** The number of the last applied frame. */
  #seq = 0;
  /** Diffs that came before their snapshot; undefined after the snapshot. */
  #early: Payload[] | undefined = [];

  /** @internal */
  constructor(send: (appearance: Appearance) => void) {
    super();
    this.#send = send;
  }

  /** The members by id. In a large room this is only a part of them, see `count`. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** The exact number of members. */
  get count(): number {
    return this.#count;
  }

  /** Changes what the others see of this client, now and after every reconnect. */
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
    // The diff is older than the snapshot, and the snapshot contains it.
    if (seq <= this.#seq) return;
    // An earlier diff was lost, so ask for the members.
    if (seq > this.#seq + 1) this.#send({});
    this.#apply(applyDiff(this.#members, payload), payload);
  }

  /** Forgets all members, without events. @internal */
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
