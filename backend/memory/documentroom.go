package memory

import (
	"slices"

	"github.com/caddy-realtime/caddy-realtime/document"
)

const (
	// maxDocumentKeys is how many keys of changes a document remembers: those of some
	// minutes of fast typing, for whoever comes back and asks what became of a change.
	maxDocumentKeys = 4096
	// documentBytes is what a document costs by itself.
	documentBytes = 512
	// documentKeyBytes is what a remembered key costs beside its text.
	documentKeyBytes = 64
)

// documentRoom is the document of one channel.
type documentRoom struct {
	slot
	table *documentTable // static after creation

	// All below is guarded by the slot's lock.
	attached map[*DocumentStore]int
	version  uint64
	snapshot []byte
	base     uint64           // version of the snapshot
	entries  []document.Entry // end with version
	keys     map[string]uint64
	order    []string // of keys, the oldest first
	keyed    int64    // bytes of the keys
	bytes    int64
}

// bare reports that the room holds nothing.
func (r *documentRoom) bare() bool { return len(r.attached) == 0 && r.version == 0 }

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
	}
}

func (r *documentRoom) load(known document.Known) document.Record {
	rec := document.Record{Epoch: r.table.epoch}
	if known.Epoch == rec.Epoch && r.reaches(known.Version) && !differ(known.Anchor, r.anchor(known.Version)) {
		rec.Version = known.Version
		rec.Entries = slices.Clone(r.entries[len(r.entries)-int(r.version-known.Version):])
		return rec
	}
	rec.Snapshot, rec.Version = r.snapshot, r.base
	rec.Entries = slices.Clone(r.entries)
	return rec
}

// reaches reports that the log has all entries after a version.
func (r *documentRoom) reaches(version uint64) bool {
	return version <= r.version && r.version-version <= uint64(len(r.entries))
}

// anchor is that of an entry in the log, else 0.
func (r *documentRoom) anchor(version uint64) uint64 {
	if behind := r.version - version; version <= r.version && behind < uint64(len(r.entries)) {
		return r.entries[uint64(len(r.entries))-1-behind].Anchor
	}
	return 0
}

// differ compares anchors, of which 0 is not known.
func differ(a, b uint64) bool { return a != 0 && b != 0 && a != b }

func (r *documentRoom) commit(c document.Commit) (document.Committed, error) {
	if v := r.keys[c.Entry.Key]; v > 0 {
		return document.Committed{Version: v, Duplicate: true}, nil
	}
	if c.Epoch != r.table.epoch || c.Entry.Version != r.version+1 || differ(c.After, r.anchor(r.version)) {
		now := r.load(document.Known{Epoch: c.Epoch, Version: c.Entry.Version - 1, Anchor: c.After})
		return document.Committed{Now: &now}, nil
	}
	size := int64(c.Entry.Bytes() + len(c.Snapshot))
	// A change that makes a document smaller is let through: it is the way out.
	if r.table.used.Load()+size > r.table.limit && (c.Snapshot == nil || len(c.Snapshot) >= len(r.snapshot)) {
		return document.Committed{}, document.ErrFull
	}
	r.append(c)
	for s := range r.attached {
		s.sink.Changed(r.channel, c.Epoch, c.Entry)
	}
	return document.Committed{Version: r.version}, nil
}

// append puts an entry into the log, and lets go of what is not needed any more.
func (r *documentRoom) append(c document.Commit) {
	r.version = c.Entry.Version
	r.entries = append(r.entries, c.Entry)
	r.remember(c.Entry.Key)
	if c.Snapshot != nil {
		r.snapshot, r.base = c.Snapshot, r.version
	}
	spare := min(len(r.entries)-c.Keep, len(r.entries)-int(r.version-r.base))
	if spare > 0 && (c.Snapshot != nil || spare > len(r.entries)/2) {
		r.entries = slices.Clone(r.entries[spare:]) // or the array would keep them
	}
	r.account()
}

func (r *documentRoom) remember(key string) {
	if r.keys == nil {
		r.keys = make(map[string]uint64)
	}
	r.keys[key] = r.version
	r.order = append(r.order, key)
	r.keyed += int64(documentKeyBytes + len(key))
	if len(r.order) > maxDocumentKeys {
		for _, old := range r.order[:maxDocumentKeys/4] {
			delete(r.keys, old)
			r.keyed -= int64(documentKeyBytes + len(old))
		}
		r.order = slices.Clone(r.order[maxDocumentKeys/4:])
	}
}

// account tells the table what the room costs now.
func (r *documentRoom) account() {
	n := int64(documentBytes+len(r.channel)+len(r.snapshot)) + r.keyed
	for i := range r.entries {
		n += int64(r.entries[i].Bytes())
	}
	r.table.used.Add(n - r.bytes)
	r.bytes = n
}
