package document

import (
	"context"
	"errors"
	"fmt"
)

// doc is what this node has of one document.
type doc struct {
	// Static after creation.
	service *Service
	channel string

	turn chan struct{} // holds an element while a goroutine has the turn

	// Owned by the goroutine that has the turn.
	state    State // without an epoch: nothing is known
	snapshot uint64
	since    int // bytes of the entries after the snapshot
	written  []byte
	missed   bool   // changes were announced that are not in state
	unsure   bool   // a commit failed that may have been executed
	fullAt   uint64 // the latest version at which the store had no space for a change

	// Guarded by Service.mu.
	cached
	heard heard
}

// text returns the state as JSON. It is encoded at most once for each version.
func (d *doc) text() []byte {
	if d.written == nil {
		d.written = d.state.Tree.Text()
	}
	return d.written
}

// refresh reads the newer entries from the store.
func (d *doc) refresh(ctx context.Context, o Options) error {
	d.catchUp(o)
	r, err := d.service.store.Load(ctx, d.channel, d.state.known())
	if err != nil {
		return err
	}
	return d.applyRecord(ctx, r, o)
}

// applyRecord applies a record. If it does not fit the state, applyRecord reads the whole
// document, and then trusts the log.
func (d *doc) applyRecord(ctx context.Context, r Record, o Options) error {
	err := d.loadRecord(r, o, false)
	if err == nil {
		return nil
	}
	d.service.logDivergence(d.channel, err)
	if r, err = d.service.store.Load(ctx, d.channel, Known{}); err == nil {
		err = d.loadRecord(r, o, true)
	}
	return err
}

// loadRecord applies a record to the state. With trust it accepts a state whose hash differs
// from the one in the entry.
func (d *doc) loadRecord(r Record, o Options, trust bool) error {
	known := d.state.known()
	if r.Epoch != known.Epoch || r.Version != known.Version || r.Snapshot != nil {
		if err := d.restore(r); err != nil {
			return err
		}
	}
	for _, e := range r.Entries {
		if e.Version <= d.state.Version {
			continue
		}
		err := d.replay(e, o)
		if trust && errors.Is(err, errHash) {
			d.service.logDivergence(d.channel, err)
			e.Hash = 0
			err = d.replay(e, o)
		}
		if err != nil {
			d.reset()
			return err
		}
	}
	d.missed, d.unsure = false, false
	return nil
}

// errHash reports that a state differs from that of another node after the same change.
var errHash = errors.New("the state has another hash than it had elsewhere")

// replay applies a change that was accepted before.
func (d *doc) replay(e Entry, o Options) error {
	next, err := d.state.Replay(e, o.History)
	if err != nil {
		return err
	}
	if e.Hash != 0 && e.Hash != next.Tree.Hash() {
		return fmt.Errorf("version %d: %w", e.Version, errHash)
	}
	d.state = next
	d.countEntry(&e)
	return nil
}

// restore sets the state to a snapshot, with the entries before it for comparison.
func (d *doc) restore(r Record) error {
	d.reset()
	tree := Empty
	if r.Snapshot != nil {
		var e *Error
		if tree, e = Parse(r.Snapshot, unbounded()); e != nil {
			return e
		}
	}
	d.state = State{Epoch: r.Epoch, Version: r.Version, Tree: tree}
	for _, e := range r.Entries {
		if e.Version <= r.Version {
			d.state.log, d.state.anchor = append(d.state.log, e), e.Anchor
			d.state.bytes += e.Bytes()
		}
	}
	d.snapshot = r.Version
	return nil
}

func (d *doc) reset() {
	d.state, d.written, d.snapshot, d.since = State{}, nil, 0, 0
}

func (d *doc) countEntry(e *Entry) {
	d.written = nil
	d.since += e.Bytes()
}
