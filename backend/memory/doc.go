// Package memory is the backend of a single node: rooms, positions, history, presence
// and documents in the memory of the process. Nothing survives the process. A client
// that comes back after a restart sees another epoch, and so learns that messages may
// be missing.
//
// # What is kept
//
// A room without history costs a small record while it is attached, and nothing
// afterwards. Its messages go straight to the sink. A room with history keeps its log
// while it is attached or used, and then for a day, or for ten times the TTL of its
// messages if that is longer. So an ordinary absence does not cost a client its place.
//
// Nothing is kept for a room without messages. Its epoch is a hash of its name and of
// the number of logs with messages that its shard has dropped. So a client that saw the
// empty room gets all messages from the first on, or learns that some may be missing.
//
// # Memory
//
// All logs and idempotency keys, and the records of rooms that nobody is attached to,
// stay within Options.HistoryBytes. If they exceed it, the least recently used of the
// unattached rooms are dropped first, with log and keys. A room that comes back has a
// new epoch. If that is not enough, the largest of the other rooms lose their oldest
// messages, down to one common size, so that a small room never pays for a large one.
// In both cases a client with a lost position is told that messages are lost. A gap is
// never taken for a continuation.
//
// Idempotency keys have an eighth of Options.HistoryBytes. If they exceed it, the rooms
// with the most keys lose the older ones. If all rooms have few keys, the rooms that got
// no key for the longest time lose theirs first. A repeat with a forgotten key is
// published again.
//
// # Order
//
// In a room with history, a message is stored, gets its position and goes to the sink
// in one step under the room's lock. The same holds for a message with an idempotency
// key. All other messages take no lock of the room: they arrive in the order of each
// publisher.
//
// # Events and members on disk
//
// With a [Journal], an event waits in the [Outbox] until the journal has stored it. The outbox also
// collects which members the journal is to have, so that they change together with their events.
// Closing the [PresenceStore] lets nobody leave then. In the next process a node without a sink
// holds the members until their grace is over; whoever enters takes the place of its hold.
//
// # Documents on disk
//
// With a [DocumentKeeper], Commit and Forget check the change under slot.mu and mark the document
// as saving. Then they store the change without a lock, and lock the document again to append and
// deliver it. Other changes of the document wait; readers get the state before the change.
//
// # Locks
//
// From the outermost to the innermost, for the broker:
//
//	Broker.cleaning > room.mu: evictions and sweeps, one at a time; publishers only try it
//	Broker.cleaning > shard.mu
//	room.mu > hub.shard.mu: the room's log and keys; the sink is called under it
//	room.mu > hub.feeds.mu: and takes what is for feeds
//
// Nothing is locked while shard.mu is held, which guards the table of rooms, their
// attachments and their idle order. For the stores of presence and documents:
//
//	table.mu > slot.mu
//	slot.mu > presence.Tracker.mu: one room; the sinks are called under it
//	slot.mu > document.Service.mu
//	slot.mu > hub.shard.mu: the sinks announce what has changed
//	slot.mu > hub.Conn.mu: or deliver a snapshot that was waited for
//	slot.mu > deadlines.mu
//	slot.mu > ledger.mu
//	slot.mu > presenceLedger.mu
//
// What happens is recorded for the app under the lock of its room:
//
//	room.mu > Outbox.mu
//	slot.mu > Outbox.mu
//
// The broker finds and pins a room under shard.mu, and then locks the room without
// shard.mu. Pins are added only under shard.mu. So a caller that holds shard.mu and sees
// a room without pins is alone with that room, and can remove it without waiting.
// Detach takes only shard.mu, so a sink may call it from within Broadcast. A sink must
// not call the other methods from there.
//
// # Goroutines
//
// The broker has one goroutine, the janitor. [New] starts it and [Broker.Close] ends it.
// It frees what has expired. What readers see does not depend on it. The stores of
// presence and documents have none; a room that remembers members has a timer.
package memory
