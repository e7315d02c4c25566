// Package memory is the broker of a single node: rooms, positions and history in
// the memory of the process. It needs nothing else and forgets everything with
// the process; a client that comes back then sees another epoch and is told.
//
// # What is kept
//
// A room without history costs a small record while it is attached and nothing
// afterwards; its messages go straight to the sink. A room with history keeps its
// log until it was idle (neither attached nor used) for a day, or for ten times
// the TTL of its messages if that is longer, so that an ordinary absence does not
// cost a client its place.
//
// Of a room that nobody has published to nothing is kept. Its epoch is a hash of its name
// and of how many logs with messages its shard has forgotten. So a client that saw the
// room empty has all messages from the first on, or learns that some may be missing.
//
// Idempotency keys have an eighth of Options.HistoryBytes. When there are more, the rooms
// with the most keys lose the older ones. If all rooms have few, those go first in which
// no key came for the longest time. A repeat of a forgotten key is published.
//
// All logs and idempotency keys together, and the records of rooms nobody is
// attached to, stay within Options.HistoryBytes. When they do not, the least
// recently used of the unattached rooms go first, log and keys and all: should
// one come back it has a new epoch. If that was not enough, the largest of the
// other rooms lose their oldest messages, all down to one level, so that a small
// room never pays for a large one. Either way a position that was lost is answered
// as lost; there is no way for a hole to pass for a continuation.
//
// # Order
//
// In a room with history a message is stored, given its position and handed to
// the sink in one step under the room's lock, and so it is for a message with an
// idempotency key. Messages without either take no lock of the room at all: they
// arrive in the order of each publisher.
//
// # Locks
//
// From the outermost to the innermost, for the broker:
//
//	Broker.house > room.mu: evictions and sweeps, one at a time; publishers only try it
//	Broker.house > shard.mu
//	room.mu > hub.shard.mu: the room's log and keys; the sink is called under it
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
// A room is found and pinned under shard.mu and then locked without it. Whoever
// holds shard.mu and sees a room without pins has that room to itself, because
// pins are only added under shard.mu: that is how rooms are removed without
// waiting for anybody. Detach takes shard.mu alone, so a sink may call it from
// within Broadcast. It must not call the other methods from there.
//
// # Goroutines
//
// One, the janitor, started by [New] and ended by [Broker.Close]. It frees what
// has expired; what readers see does not depend on it.
package memory
