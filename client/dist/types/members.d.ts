import type { Payload } from './wire.js';
/** A user in a channel; an anonymous connection is a member of its own. */
export interface Member {
    /** The user, or the connection of an anonymous one. */
    readonly id: string;
    /** `online`, `away`, or whatever short word the member has set. */
    readonly status: string;
    /** Whatever else there is to know, set by the member or by the server. */
    readonly info: Readonly<Record<string, unknown>>;
}
export type Members = ReadonlyMap<string, Member>;
/** New members, and what happened to the old ones. */
export interface Change {
    readonly members: Members;
    readonly events: readonly {
        readonly name: 'enter' | 'leave' | 'update';
        readonly member: Member;
    }[];
}
/**
 * Replaces the members by those of a snapshot. Who was there before and is not in
 * it has left, unless the snapshot was cut: then nobody knows.
 */
export declare function applySnapshot(before: Members, { users, info, more }: Payload): Change;
/** Applies a diff. Repeating one that was applied already changes nothing. */
export declare function applyDiff(before: Members, { left, entered, updated, info }: Payload): Change;
