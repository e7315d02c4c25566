// Package presence keeps the list of members of each room. It turns the connections of one
// node into members, the members of all nodes into one list, and the changes of that list
// into few, bounded frames. It knows no wire protocol and no store: a [Store] shares the
// members between nodes, a function announces the frames.
//
// # Usage
//
// [New] builds a tracker around a store. When a connection has subscribed to a room with
// presence, the session calls [Tracker.Enter] and keeps the [Stay] that it returns.
// [Stay.Update] changes status and info, [Stay.Leave] ends the stay at once, [Stay.Lose]
// after the room's grace. The clients see the snapshot that Enter delivers and the diffs
// that are announced to the room afterwards.
//
// # What is guaranteed
//
// A user enters a room when the first of its connections does, on any node. The user leaves
// when the last one was gone for longer than the grace. An anonymous connection is a
// member of its own. It cannot come back as the same member, so it has no grace and is not
// remembered.
//
// On one node, the frames of a room are numbered and form one sequence. Each [Diff] leads
// from the state of the frame before to the next one, and has the number of members in
// that state. Within the sequence a member enters and leaves by turns. A [Snapshot] is the
// state at a number. So a watcher has the exact state when it takes the snapshot and
// applies the diffs with higher numbers. Applying diffs with lower numbers again, in
// order, does no harm in the end. A hole in the numbers means that a frame was lost, and
// that the watcher should ask for a snapshot again.
//
// No frame names more than [Options.Snapshot] members. If more members changed within one
// window, a snapshot is announced in place of the diff. It has the number of members and
// the first of them. The window grows with the room, see [Window]. So the cost of a
// watcher per second is bounded, for any size of the room and any rate of changes. If a
// diff always named all members, a room that n members enter would send n names to each
// of n watchers.
//
// All nodes see the same members in the end, but not at the same moment. A member with a
// connection on this node is present here even while the store does not know it. Frames
// that are made while the store fails have Partial set.
//
// # Status and info of a member with several connections
//
// Each connection has a status and info of its own, which end with the connection. A member
// shows the highest status of its connections: a word of the app's own is higher than
// online, and online is higher than away. So a user is away only when all connections are.
// Among equals the status that was set last counts. Of the infos that clients set, the one
// set last counts as a whole, and likewise of those that the server sets. Then the two are
// merged, and the server's fields win. Between nodes a store uses the same order of
// statuses, and takes the info that was written last.
//
// # Goroutines
//
//   - A room has one timer while a diff, a grace or a retry is due, and no goroutine.
//   - At most [workers] goroutines call the store. They end when there is nothing to do.
//     One of them at a time works for a room, so that the store learns the changes of
//     a member in order. If the store is slow, the changes that happen meanwhile are
//     sent together, without those that cancelled out.
//   - The goroutine that made a change also announces it and delivers snapshots, in the
//     order of the changes and without locks of this package.
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
