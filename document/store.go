package document

import (
	"context"
	"time"
)

// Store keeps documents for all nodes. A document is a log of entries, whose versions
// follow each other from 1 on, with a snapshot that makes the older entries
// dispensable. A document that nobody has changed is at version 0 and empty.
//
// A store never looks into entries and snapshots: all patches are applied by the
// [Service]. Methods may be called by several goroutines at once.
type Store interface {
	// Attach begins the delivery of a document's entries to this node's [Sink], and
	// returns when none that is committed from now on can be missed. Attach and
	// Detach are counted. An Attach that failed is not.
	Attach(ctx context.Context, channel string) error
	// Detach takes back one Attach. It does not block.
	Detach(channel string)
	// Load reads a document. If what is known is a state of the present epoch, and the
	// log still has all entries after it, those are all there is to the answer.
	Load(ctx context.Context, channel string, known Known) (Record, error)
	// Commit appends an entry, if the document is still at the entry's version minus
	// one, with the same anchor in the same epoch. An entry whose key was committed
	// before is not appended again.
	Commit(ctx context.Context, channel string, c Commit) (Committed, error)
	// Find gives the version that the entry with a key was committed as; 0: nothing
	// is known of it. A store remembers keys for minutes, and longer than entries if
	// it can.
	Find(ctx context.Context, channel, key string) (uint64, error)
	// Forget removes a document, and all that is known of it. With another Known than
	// the zero one it does so only if that is the document's epoch and version. Every
	// node that follows the document is told that it was missed. The next state has
	// another epoch. False: the document is at another version.
	Forget(ctx context.Context, channel string, only Known) (bool, error)
	// List gives the documents that somebody has changed, in the order of the bytes of
	// their channels: those that begin with prefix and come after a channel. More says
	// that there are others than the first limit of them.
	List(ctx context.Context, prefix, after string, limit int) (page []Info, more bool, err error)
	// Close stops the store. Later calls return [ErrClosed].
	Close() error
}

// Info describes a document in a list.
type Info struct {
	Channel string
	Version uint64
	// Bytes is what the document takes of the store's memory, with its latest changes.
	Bytes int64
}

// Known is a state that the caller of [Store.Load] has already; the zero Known is
// nothing.
type Known struct {
	Epoch   string
	Version uint64
	// Anchor is that of the entry that led to Version; 0: it is not known, or there is
	// none. A store that has another entry there went back in time: it makes the
	// document anew, or at least does not answer with what follows alone.
	Anchor uint64
}

// Record is a document as a store has it.
type Record struct {
	// Epoch is never empty. It changes when the store has lost the document.
	Epoch string
	// Snapshot is the state at a version, as JSON. Without one, and with the version
	// 0, it is the empty document; if the answer is only what follows the version
	// that was known, Version is that.
	Snapshot []byte
	Version  uint64
	// Entries are those after Version and, if the answer is all of it, some before
	// it: their versions follow each other and end with the current one.
	Entries []Entry
}

// Commit is an entry that is to be appended.
type Commit struct {
	Epoch string
	Entry Entry
	// After is the anchor of the entry before; 0: it is not known, or there is none.
	After uint64
	// Snapshot is the state after the entry, if the caller thinks that a new one is
	// due; else nil.
	Snapshot []byte
	// Keep is how many entries must stay in the log at least. Beyond that, those
	// before the snapshot can go.
	Keep int
	// KeepBytes is how many bytes of entries have to stay at most, whatever Keep says;
	// 0 means no bound.
	KeepBytes int
	// TTL is after which time without a change and without an Attach the document is
	// forgotten; 0 means never.
	TTL time.Duration
	// A commit after which the document takes more than before is refused with
	// [ErrShare] if its Payer would have more than Share bytes, and with [ErrFull] if
	// all documents would take more than Memory bytes. 0 means no bound. The bytes that
	// a commit adds are counted for its payer.
	Budget
}

// Committed is what became of a [Commit].
type Committed struct {
	// Version is that of the entry, or of the one with the same key before it; 0: it
	// was not appended, because the document is at another version.
	Version uint64
	// Duplicate reports that the key was known.
	Duplicate bool
	// Now may come with a version of 0: what Load gives to whoever knows the state that
	// the entry was meant to follow. Nil: Load has to be called.
	Now *Record
}

// Sink receives what a [Store] delivers to this node. [*Service] is one. Its methods
// never block, and may be called with a lock of the store held.
type Sink interface {
	// Changed hands over entries of a document, in the order of their versions and
	// each once. A node that has committed an entry itself is told of it, and of all
	// before it, before its Commit returns.
	Changed(channel, epoch string, entries ...Entry)
	// Missed says that entries may have been lost, or that the document was: who
	// follows it must read it again.
	Missed(channel string)
}
