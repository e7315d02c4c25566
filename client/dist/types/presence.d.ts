import { Emitter } from './emitter.js';
import { type Member } from './members.js';
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
export declare class Presence extends Emitter<PresenceEvents> {
    #private;
    /** The members by id. In a large room this is only a part of them, see `count`. */
    get members(): ReadonlyMap<string, Member>;
    /** The exact number of members. */
    get count(): number;
    /** Changes what the others see of this client, now and after every reconnect. */
    update(appearance: Appearance): void;
}
