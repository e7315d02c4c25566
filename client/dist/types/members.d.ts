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
    readonly events: readonly {
        readonly name: 'enter' | 'leave' | 'update';
        readonly member: Member;
    }[];
}
/**
 * Replaces the members by those of a snapshot. A member that is missing in it has left, unless
 * the snapshot was cut: then that is not known.
 */
export declare function applySnapshot(before: Members, { users, info, more }: Payload): Change;
/** Applies a diff. Applying it twice changes nothing. */
export declare function applyDiff(before: Members, { left, entered, updated, info }: Payload): Change;
