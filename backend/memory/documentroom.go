package memory

import (
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

const (
	// maxDocumentKeys is how many keys of changes a document remembers: those of some
	// minutes of fast typing, for a client that reconnects and asks for the result of a
	// change.
	maxDocumentKeys = 4096
	// documentBytes is what a document costs by itself: the room, its maps and its place in
	// the table, with one entry, one key and one payer.
	documentBytes = 1536
	// documentKeyBytes is what a remembered key costs in addition to its text.
	documentKeyBytes = 64
)

// documentRoom is the document of one channel.
type documentRoom struct {
	slot
	table *documentTable // static after creation

	// All below is guarded by the slot's lock.
	epoch    string
	attached map[*DocumentStore]int
	version  uint64
	snapshot []byte
	base     uint64           // version of the snapshot
	entries  []document.Entry // end with version
	logged   int64            // bytes of the entries
	keys     map[string]uint64
	order    []string // of keys, the oldest first
	keyed    int64    // bytes of the keys
	bytes    int64    // of all, as the ledger has it
	bill     bill
	ttl      time.Duration // as of the latest change
	used     time.Time     // the latest change, or when the last node detached
	saving   chan struct{} // closed when the keeper has stored a change; nil: it stores none
}

// bare reports whether the room holds nothing.
func (r *documentRoom) bare() bool {
	return len(r.attached) == 0 && r.version == 0 && r.saving == nil
}

func (r *documentRoom) attach(s *DocumentStore) {
	if r.attached == nil {
		r.attached = make(map[*DocumentStore]int)
	}
	r.attached[s]++
}

func (r *documentRoom) detach(s *DocumentStore) {
	if r.attached[s] > 1 {
		r.attached[s]--
	} else {
		delete(r.attached, s)
		r.used = time.Now()
	}
}

func (r *documentRoom) load(known document.Known) document.Record {
	rec := document.Record{Epoch: r.epoch}
	if known.Epoch == rec.Epoch && r.reaches(known.Version) && !differ(known.Anchor, r.anchor(known.Version)) {
		rec.Version = known.Version
		rec.Entries = slices.Clone(r.entries[len(r.entries)-int(r.version-known.Version):])
		return rec
	}
	rec.Snapshot, rec.Version = r.snapshot, r.base
	rec.Entries = slices.Clone(r.entries)
	return rec
}

// reaches reports whether the log has all entries after a version.
func (r *documentRoom) reaches(version uint64) bool {
	return version <= r.version && r.version-version <= uint64(len(r.entries))
}

// anchor returns the anchor of a version, or 0 if the log does not have its entry.
func (r *documentRoom) anchor(version uint64) uint64 {
	if behind := r.version - version; version <= r.version && behind < uint64(len(r.entries)) {
		return r.entries[uint64(len(r.entries))-1-behind].Anchor
	}
	return 0
}

// differ reports whether two anchors differ. 0 is unknown and equal to any.
func differ(a, b uint64) bool { return a != 0 && b != 0 && a != b }

// schedule sets a deadline, when the document may have been unused for its TTL.
func (r *documentRoom) schedule(now time.Time) {
	if r.version == 0 || r.ttl <= 0 {
		return
	}
	from := r.used
	if len(r.attached) > 0 {
		from = now
	}
	r.table.deadlines.add(r.channel, from.Add(r.ttl))
}

// expire drops the document if it was unused for its TTL.
func (r *documentRoom) expire(now time.Time) {
	if r.version == 0 || r.ttl <= 0 || len(r.attached) > 0 || r.saving != nil || now.Sub(r.used) < r.ttl {
		return
	}
	if k := r.table.keeper; k != nil {
		k.Expire(r.channel, r.epoch)
	}
	r.forget(newDocumentEpoch())
}

// is reports whether a document is at the version of only. The zero Known is any version.
func (r *documentRoom) is(only document.Known) bool {
	return only.Epoch == "" || only.Epoch == r.epoch && only.Version == r.version
}

// forget resets the room to a document that nobody has changed, in another epoch.
func (r *documentRoom) forget(epoch string) {
	if r.version == 0 {
		return
	}
	r.table.ledger.settle(r.bill)
	r.table.epoch.Store(&epoch)
	r.epoch = epoch
	r.version, r.base, r.snapshot, r.entries = 0, 0, nil, nil
	r.keys, r.order, r.bill = nil, nil, nil
	r.logged, r.keyed, r.bytes, r.ttl = 0, 0, 0, 0
	for s := range r.attached {
		s.sink.Missed(r.channel)
	}
}
