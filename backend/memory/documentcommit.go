package memory

import (
	"maps"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
)

func (r *documentRoom) commit(c document.Commit) (document.Committed, error) {
	done, next, _, err := r.begin(&c)
	if err != nil || done != (document.Committed{}) {
		return done, err
	}
	r.deliver(c, next)
	return document.Committed{Version: r.version}, nil
}

// begin checks a commit and counts its bytes. If the result is zero the commit is to be appended.
// before is the bill without it.
func (r *documentRoom) begin(c *document.Commit) (done document.Committed, next step, before bill, err error) {
	if v := r.keys[c.Entry.Key]; v > 0 {
		return document.Committed{Version: v, Duplicate: true}, next, nil, nil
	}
	if c.Epoch != r.epoch || c.Entry.Version != r.version+1 || differ(c.After, r.anchor(r.version)) {
		now := r.load(document.Known{Epoch: c.Epoch, Version: c.Entry.Version - 1, Anchor: c.After})
		return document.Committed{Now: &now}, next, nil, nil
	}
	if r.table.keeper != nil {
		before = maps.Clone(r.bill)
	}
	next = r.plan(c)
	return done, next, before, r.table.ledger.admit(&r.bill, next.bytes-r.bytes, c.Budget)
}

// deliver appends an entry that begin has accepted, and delivers it.
func (r *documentRoom) deliver(c document.Commit, next step) {
	r.append(c, next)
	if r.table.keeper == nil { // else it has recorded the change together with storing it
		r.table.outbox.recordChange(r.channel, &c.Entry)
	}
	for s := range r.attached {
		s.sink.Changed(r.channel, c.Epoch, c.Entry)
	}
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
	gone := r.keysGone()
	r.keys[key] = r.version
	r.order = append(r.order, key)
	r.keyed += int64(documentKeyBytes + len(key))
	if gone == 0 {
		return
	}
	freed := int64(0)
	for _, old := range r.order[:gone] {
		delete(r.keys, old)
		freed += int64(documentKeyBytes + len(old))
	}
	r.order = slices.Clone(r.order[gone:])
	r.keyed -= freed
	r.bytes -= freed
	_ = r.table.ledger.admit(&r.bill, -freed, document.Budget{Payer: payer}) // less is always admitted
}

// keysGone returns how many of the oldest keys the next key removes.
func (r *documentRoom) keysGone() int {
	if len(r.order) < maxDocumentKeys {
		return 0
	}
	return maxDocumentKeys / 4
}
