// Package presence knows who is in a room. It turns the connections of one node
// into members, the members of all nodes into one list, and the changes of that
// list into few, bounded frames. It knows no wire protocol and no store: a
// [Store] shares the members between nodes, a function announces the frames.
//
// # Usage
//
// [New] builds a tracker around a store. When a connection has subscribed to a
// room with presence, the session calls [Tracker.Enter] and keeps the [Stay] it
// gets: [Stay.Update] changes status and info, [Stay.Leave] ends the stay at
// once, [Stay.Lose] with the room's grace. The snapshot that Enter delivers, and
// the diffs that are announced to the room afterwards, are what the clients see.
//
// # What is guaranteed
//
// A user enters a room when the first of its connections does, on any node, and
// leaves when the last one was gone for longer than the grace. An anonymous
// connection is a member of its own; because it cannot come back as the same
// member, it has no grace and is not remembered.
//
// On one node, the frames of a room are numbered and form one sequence. Each
// [Diff] leads from the state of the frame before to its own, with the number of
// members in that state; within the sequence a member enters and leaves by turns.
// A [Snapshot] is the state at a number. A watcher therefore has the exact state
// when it takes the snapshot and applies the diffs with higher numbers. Applying
// some with lower numbers again, in order, does no harm in the end. A hole in the
// numbers means that a frame was lost on the way, and that it should ask again.
//
// No frame names more than [Options.Snapshot] members. If more than that changed
// within one window, the room is announced a snapshot in place of a diff, which
// says how many there are and who comes first. The window grows with the room,
// see [Window]. What a watcher costs is thus bounded per second, whatever the
// size of the room and however fast it changes; a diff that always named everybody
// would make a room of n that fills up cost n names for each of n watchers.
//
// All nodes see the same members in the end, not at the same moment. A member
// with a connection on this node is present here even while the store does not
// know it; frames made while the store fails say Partial.
//
// # Status and info of a member with several connections
//
// Each connection speaks for itself, and what a connection said goes with it. Of
// the statuses of a member, a word of the application's own counts more than
// online, and online more than away: a user is away only when all connections
// are. Among equals the one set last counts. Of the infos that clients set, the
// one set last counts as a whole, and the same holds for those of the server;
// then the two are merged, and the server's fields win. Between nodes a store
// decides by the same order of statuses, and takes the info written last.
//
// # Goroutines
//
//   - A room has one timer while a diff, a grace or a retry is due, and no
//     goroutine.
//   - Calls of the store are made by at most [workers] goroutines, which end when
//     there is nothing to do. A room is with one of them at a time, so that what
//     the store is told about a member is told in order. If the store is slow,
//     what happens meanwhile is told together, and what cancelled out is not.
//   - Announcing and delivering happens on whichever goroutine made the change, in
//     the order of the changes, without locks.
//
// [Tracker.Close] waits for all of them.
//
// # Locks
//
// From the outermost to the innermost:
//
//	Tracker.mu > room.mu > pool.mu > life.mu
//
// The store may deliver events with a lock of its own held, and the announcements that
// follow are made under that lock. Therefore nothing here calls the store with a lock
// held. No lock is held across anything that waits.
//
// Methods of Tracker and Stay may be called by several goroutines at once.
package presence
