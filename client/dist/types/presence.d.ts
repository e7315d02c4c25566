import { Emitter } from './emitter.js';
import { type Member } from './members.js';
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
export declare class Presence extends Emitter<PresenceEvents> {
    #private;
    /** The members by user. In a large room these are not all of them, see `count`. */
    get members(): ReadonlyMap<string, Member>;
    /** The exact number of members. */
    get count(): number;
    /** Changes how this client appears to the others, now and after every reconnect. */
    update(appearance: Appearance): void;
}
