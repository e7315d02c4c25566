package document

import (
	"context"
	"errors"
	"fmt"
)

// doc is what this node knows of one document.
type doc struct {
	// Static after creation.
	service *Service
	channel string

	turn chan struct{} // holds an element while somebody has the turn

	// Owned by who has the turn.
	state    State // without an epoch: nothing is known
	snapshot uint64
	since    int // bytes of the entries after the snapshot
	written  []byte
	behind   bool   // this node was told of what is not in state
	unsure   bool   // a commit has failed that may have been executed
	tight    uint64 // the latest version to which there was no room for a change

	// Guarded by Service.mu.
	cached
	heard heard
}

// text is the state as JSON, which is made at most once for each version.
func (d *doc) text() []byte {
	if d.written == nil {
		d.written = d.state.Tree.Text()
	}
	return d.written
}

// refresh reads what happened since.
func (d *doc) refresh(ctx context.Context, o Options) error {
	d.catchUp(o)
	r, err := d.service.store.Load(ctx, d.channel, d.state.known())
	if err != nil {
		return err
	}
	return d.takeOver(ctx, r, o)
}

// takeOver adopts a record. If that does not fit what this node has, the document is
// read anew; then the log is right, whatever comes of it.
func (d *doc) takeOver(ctx context.Context, r Record, o Options) error {
	err := d.adopt(r, o, false)
	if err == nil {
		return nil
	}
	d.service.diverged(d.channel, err)
	if r, err = d.service.store.Load(ctx, d.channel, Known{}); err == nil {
		err = d.adopt(r, o, true)
	}
	return err
}

// adopt makes of the state what a record says. With trust a state whose hash is another
// one than that of whoever made the change is taken all the same.
func (d *doc) adopt(r Record, o Options, trust bool) error {
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
			d.service.diverged(d.channel, err)
			e.Hash = 0
			err = d.replay(e, o)
		}
		if err != nil {
			d.forget()
			return err
		}
	}
	d.behind, d.unsure = false, false
	return nil
}

// errHash says that a state is not what it was elsewhere after the same change.
var errHash = errors.New("the state has another hash than it had elsewhere")

// replay makes a change that was made elsewhere.
func (d *doc) replay(e Entry, o Options) error {
	next, err := d.state.Replay(e, o.History)
	if err != nil {
		return err
	}
	if e.Hash != 0 && e.Hash != next.Tree.Hash() {
		return fmt.Errorf("version %d: %w", e.Version, errHash)
	}
	d.state = next
	d.count(&e)
	return nil
}

// restore begins with a snapshot, and with the entries before it for comparison.
func (d *doc) restore(r Record) error {
	d.forget()
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

func (d *doc) forget() {
	d.state, d.written, d.snapshot, d.since = State{}, nil, 0, 0
}

func (d *doc) count(e *Entry) {
	d.written = nil
	d.since += e.Bytes()
}
