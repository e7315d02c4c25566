import type { Payload } from './wire.js';

/** A user in a channel; an anonymous connection is a member of its own. */
export interface Member {
  /** The user, or the connection of an anonymous member. */
  readonly id: string;
  /** `online`, `away`, or another short word that the member has set. */
  readonly status: string;
  /** Other facts, set by the member or by the server. */
  readonly info: Readonly<Record<string, unknown>>;
}

export type Members = ReadonlyMap<string, Member>;

/** The new members, and the changes of the old ones. */
export interface Change {
  readonly members: Members;
  readonly events: readonly { readonly name: 'enter' | 'leave' | 'update'; readonly member: Member }[];
}

/**
 * Replaces the members by those of a snapshot. A member that is missing in it has left, unless
 * the snapshot was cut: then that is not known.
 */
export function applySnapshot(before: Members, { users = [], info, more }: Payload): Change {
  const now = new Set(users);
  const left = more ? [] : [...before.keys()].filter((id) => !now.has(id));
  const { members, events } = applyDiff(before, { left, entered: users, info });
  return { members: new Map(users.map((id) => [id, members.get(id)!])), events };
}

/** Applies a diff. Applying it twice changes nothing. */
export function applyDiff(before: Members, { left = [], entered = [], updated = [], info }: Payload): Change {
  const members = new Map(before);
  const events: Change['events'][number][] = [];
  for (const id of left) {
    const old = members.get(id);
    if (old && members.delete(id)) events.push({ name: 'leave', member: old });
  }
  for (const id of [...entered, ...updated]) {
    const now = member(id, info);
    const old = members.get(id);
    members.set(id, now);
    if (!old) events.push({ name: entered.includes(id) ? 'enter' : 'update', member: now });
    else if (!same(old, now)) events.push({ name: 'update', member: now });
  }
  return { members, events };
}

function member(id: string, all: Payload['info']): Member {
  const { status = 'online', ...info } = all?.[id] ?? {};
  return { id, status, info };
}

function same(a: Member, b: Member): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
