// Package disk keeps the rooms of a single node in a file, so that they outlive the process. It
// adds durability to package memory, which is what clients read from.
//
// # What is kept
//
// The messages of rooms with history, with their positions; idempotency keys; documents with their
// log and the keys of changes; and the standing orders of the app, which are the revocations.
// The members of rooms, events for the app with the progress of each sink, and the connections and
// channels that the app thinks are there. [Store] is the file. [Broker], [Control] and what
// [Store.Outbox], [Store.Documents] and [Store.Presence] return are the parts of a node that use it.
//
// # The way of a message
//
// Publish hands the message to the writer, a goroutine. The writer takes all operations that wait
// and writes them in one transaction with one fsync. Only after the commit does it add the
// messages to the rooms in memory and deliver them. So nobody ever sees a position that a crash
// gives to another message. While the disk works, the next operations gather in the queue:
// no timer makes a message wait for others.
//
// Messages without position and key do not touch the file.
//
// A change of a document takes the same way: memory checks it, the writer stores it, and then memory
// appends and delivers it. A document that expires in memory leaves the file without waiting.
//
// # Events and members
//
// Nobody waits for members, connections and events about them: the outbox in memory collects what
// has changed, and each transaction writes all of it. The change of a member and its event are in
// one transaction. The event of a message or of a document's change is in the transaction of the
// change. Senders see an event after that. A batch is stored before it is sent, so that a crash
// does not give its id to another batch.
//
// When a store is opened, the connections and channels of the process before end, and its members
// are in their grace, but for at least [Options].Return: while a server is down, clients wait
// longer and longer between their attempts.
//
// # Memory
//
// All documents are in memory, because their bytes are bounded there. A room is loaded from the file when it is used first. If the broker drops a room from memory,
// the next use loads it again. If the bound of memory costs a room with subscribers its oldest messages, a page of these
// is read from the file for the client that needs it. The channels that the file has are in memory as hashes, so that a
// room without history costs no read.
//
// # Failure
//
// If a transaction fails, its operations fail with [hub.ErrUnavailable], and the file is opened
// again. The number of its latest transaction then shows whether the failed one took place after
// all. If so, its operations succeed. If the file can not be opened, each transaction tries that
// first.
//
// # Time
//
// Every minute, expired messages, keys and orders are removed, in transactions of bounded size.
// A room goes a day after its last message, or after ten times the TTL of its messages if that
// is longer, unless it is in memory. The next log of the room has another epoch: the epoch of a room without messages
// is a hash of its name and of a generation, which grows when a room is removed. Few rooms share
// a generation, so that removing a room is no gap for empty rooms. Pages that are
// free are used again.
//
// # Compaction
//
// The file itself does not shrink. When more than half of it is free, a goroutine copies it, portion
// by portion, while the writer works. The writer notes the keys that change meanwhile, and the
// goroutine copies them again. When few are left, the writer copies these between two
// transactions and renames the copy. So publishers wait for one small transaction and a rename.
//
// Rejected: one long transaction that reads, because the file would grow as long as it lasts;
// compaction at the start, because a start must be fast and a process may run for a year;
// portions that the writer copies itself, because each would be a pause.
//
// # Offline
//
// [Check], [Export], [Compact] and [Renew] work on a store that no process has open.
//
// # Locks
//
// From the outermost to the innermost:
//
//	memory.room.mu > file.mu: a room is loaded under its lock; file.mu is held shared by transactions
//	memory.room.mu > Store.mu: loading looks whether the file has the room
//	memory.slot.mu > late.mu: a document expires
//	memory.room.mu > generations.mu: the epoch of an empty room
//	changes.mu is a leaf
//
// The writer holds no lock of this package while it calls the broker in memory.
//
// # Goroutines
//
// The store has a goroutine, the writer. [Open] starts it and [Store.Close] ends it. A compaction
// has another one, which the writer starts.
package disk
