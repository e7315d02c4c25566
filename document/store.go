package document

import (
	"context"
	"time"
)

// Store keeps documents for all nodes. A document is a log of entries with the versions 1, 2,
// 3 … and a snapshot, before which entries may be dropped. A document without a change is
// empty and has the version 0.
//
// A store does not interpret entries and snapshots: only the [Service] applies patches.
// Methods may be called by several goroutines at once.
type Store interface {
	// Attach starts the delivery of a document's entries to this node's [Sink]. When it has
	// returned, no entry that is committed afterwards is missed. Attach and Detach are
	// counted. A failed Attach does not count.
	Attach(ctx context.Context, channel string) error
	// Detach undoes one Attach. It does not block.
	Detach(channel string)
	// Load reads a document. If known is a state of the current epoch and the log has all
	// entries after it, the record has only these entries.
	Load(ctx context.Context, channel string, known Known) (Record, error)
	// Commit appends an entry if the document is still at the version before it, with the
	// same anchor and in the same epoch. It does not append an entry whose key was
	// committed before.
	Commit(ctx context.Context, channel string, c Commit) (Committed, error)
	// Find returns the version of the entry with a key; 0 if the key is not known. A store
	// remembers keys for minutes, and longer than entries if it can.
	Find(ctx context.Context, channel, key string) (uint64, error)
	// Forget removes a document with its log and keys. If only is not the zero Known, it
	// must be the document's epoch and version; otherwise Forget returns false and does
	// nothing. Every attached node gets a Missed. The next state has another epoch.
	Forget(ctx context.Context, channel string, only Known) (bool, error)
	// List returns the documents with at least one change whose channel starts with prefix
	// and comes after a channel, in the order of the bytes of their channels. It returns
	// at most limit; more reports that others follow.
	List(ctx context.Context, prefix, after string, limit int) (page []Info, more bool, err error)
	// Close stops the store. Later calls return [ErrClosed].
	Close() error
}

// Info describes a document in a list.
type Info struct {
	Channel string
	Version uint64
	// Bytes is the memory of the document in the store, with its log.
	Bytes int64
}

// Known identifies a state that the caller has already. The zero Known is none.
type Known struct {
	Epoch   string
	Version uint64
	// Anchor is the anchor of the entry with Version; 0 if it is not known or there is none.
	// If the store has another entry there, it was rolled back. Then it answers with the
	// whole document, in a new epoch if it can.
	Anchor uint64
}

// Record is the result of [Store.Load].
type Record struct {
	// Epoch is never empty. It is another one after the store has lost the document.
	Epoch string
	// Snapshot is the state at Version, as JSON. It is nil in two cases: if the record has
	// only the entries after the known version, and then Version is that version; and if
	// Version is 0, where the document is empty.
	Snapshot []byte
	Version  uint64
	// Entries are those after Version and, with a snapshot, some before it. Their versions
	// follow each other and end with the current one.
	Entries []Entry
}

// Commit is a request to append an entry.
type Commit struct {
	Epoch string
	Entry Entry
	// After is the anchor of the entry before; 0 if it is not known or there is none.
	After uint64
	// Snapshot is the state after the entry if a new snapshot is due; otherwise nil.
	Snapshot []byte
	// Keep is how many entries the log must keep at least. Older entries before the
	// snapshot may be dropped.
	Keep int
	// KeepBytes is the number of bytes of entries beyond which the log need not keep Keep
	// entries; 0 means no bound.
	KeepBytes int
	// TTL is the time without a change and without an Attach after which the document is
	// removed; 0 means never.
	TTL time.Duration
	// Budget bounds the memory. A commit that makes the document larger is rejected with
	// [ErrShare] if its Payer would have more than Share bytes, and with [ErrFull] if all
	// documents would take more than Memory bytes. The bytes that a commit adds count for
	// its payer.
	Budget
}

// Committed is the result of a [Commit].
type Committed struct {
	// Version is the version of the entry, or of the earlier one with the same key. It is 0
	// if nothing was appended because the document is at another version.
	Version uint64
	// Duplicate reports that the key was committed before.
	Duplicate bool
	// Now may be set if Version is 0. It is the record that Load returns for the state
	// before the entry. If it is nil, the caller must call Load.
	Now *Record
}

// Sink receives what a [Store] delivers to this node. [*Service] is one. Its methods
// never block, and may be called with a lock of the store held.
type Sink interface {
	// Changed delivers entries of a document, in the order of their versions and each once.
	// The node that commits an entry gets it, and all before it, before its Commit returns.
	Changed(channel, epoch string, entries ...Entry)
	// Missed reports that entries or the document may have been lost. Followers must read
	// it again.
	Missed(channel string)
}
