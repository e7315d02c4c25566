package memory

import (
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

func (r *documentRoom) commit(c document.Commit) (document.Committed, error) {
	if v := r.keys[c.Entry.Key]; v > 0 {
		return document.Committed{Version: v, Duplicate: true}, nil
	}
	if c.Epoch != r.epoch || c.Entry.Version != r.version+1 || differ(c.After, r.anchor(r.version)) {
		now := r.load(document.Known{Epoch: c.Epoch, Version: c.Entry.Version - 1, Anchor: c.After})
		return document.Committed{Now: &now}, nil
	}
	next := r.plan(&c)
	if err := r.table.ledger.admit(&r.bill, next.bytes-r.bytes, c.Budget); err != nil {
		return document.Committed{}, err
	}
	r.append(c, next)
	r.table.outbox.recordChange(r.channel, &c.Entry)
	for s := range r.attached {
		s.sink.Changed(r.channel, c.Epoch, c.Entry)
	}
	return document.Committed{Version: r.version}, nil
}

// step is what a commit changes in a room.
type step struct {
	spare  int   // entries that go
	logged int64 // bytes of those that stay
	bytes  int64 // of the room
}

// plan returns what a commit would change. It looks at each entry twice: when the entry
// comes, and when it goes.
func (r *documentRoom) plan(c *document.Commit) step {
	count, base, snapshot := len(r.entries)+1, int(c.Entry.Version-r.base), r.snapshot
	if c.Snapshot != nil {
		base, snapshot = 0, c.Snapshot
	}
	next := step{logged: r.logged + int64(c.Entry.Bytes())}
	spare := min(count-c.Keep, count-base)
	if spare <= 0 || c.Snapshot == nil && spare <= count/2 {
		spare = 0
	}
	goes := func() bool {
		large := c.Snapshot != nil && c.KeepBytes > 0 && next.logged > int64(c.KeepBytes)
		return next.spare < spare || large
	}
	for next.spare < len(r.entries) && goes() {
		next.logged -= int64(r.entries[next.spare].Bytes())
		next.spare++
	}
	next.bytes = int64(documentBytes+len(r.channel)+len(snapshot)) + next.logged +
		r.keyed + int64(documentKeyBytes+len(c.Entry.Key))
	return next
}

// append appends an entry to the log and drops what is not needed any more.
func (r *documentRoom) append(c document.Commit, next step) {
	now := time.Now()
	r.version = c.Entry.Version
	r.entries = append(r.entries, c.Entry)
	if c.Snapshot != nil {
		r.snapshot, r.base = c.Snapshot, r.version
	}
	if next.spare > 0 {
		r.entries = slices.Clone(r.entries[next.spare:]) // or the array would keep them
	}
	r.logged, r.bytes = next.logged, next.bytes
	r.remember(c.Entry.Key, c.Payer)
	r.ttl, r.used = c.TTL, now
	r.schedule(now)
}

// remember adds a key. plan has counted it already.
func (r *documentRoom) remember(key, payer string) {
	if r.keys == nil {
		r.keys = make(map[string]uint64)
	}
	r.keys[key] = r.version
	r.order = append(r.order, key)
	r.keyed += int64(documentKeyBytes + len(key))
	if len(r.order) <= maxDocumentKeys {
		return
	}
	freed := int64(0)
	for _, old := range r.order[:maxDocumentKeys/4] {
		delete(r.keys, old)
		freed += int64(documentKeyBytes + len(old))
	}
	r.order = slices.Clone(r.order[maxDocumentKeys/4:])
	r.keyed -= freed
	r.bytes -= freed
	_ = r.table.ledger.admit(&r.bill, -freed, document.Budget{Payer: payer}) // less is always admitted
}
