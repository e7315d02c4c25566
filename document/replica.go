package document

import (
	"context"
	"slices"
	"time"
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

	cached // guarded by Service.mu
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
	known := Known{d.state.Epoch, d.state.Version}
	r, err := d.service.store.Load(ctx, d.channel, known)
	if err != nil {
		return err
	}
	if r.Epoch != known.Epoch || r.Version != known.Version || r.Snapshot != nil {
		if err = d.restore(r); err != nil {
			return err
		}
	}
	for _, e := range r.Entries {
		if e.Version <= d.state.Version {
			continue
		}
		if d.state, err = d.state.Replay(e, o.History); err != nil {
			d.forget()
			return err
		}
		d.count(&e)
	}
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
			d.state.log = append(d.state.log, e)
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

// try proposes a change once. False: others came first.
func (d *doc) try(ctx context.Context, c *Change, o Options) (out Outcome, done bool, err error) {
	if d.state.Epoch == "" {
		if err = d.refresh(ctx, o); err != nil {
			return out, false, err
		}
	}
	decision := d.state.Decide(c, o)
	if decision.Err != nil {
		// What is refused is refused by the state of the store and not by an older
		// one, and not at all if the change was made long ago.
		if out, done, err = d.refuse(ctx, c, o); done || err != nil {
			return out, done, err
		}
		return out, false, nil
	}
	if decision.Duplicate > 0 {
		return Outcome{Epoch: d.state.Epoch, Version: decision.Duplicate, Duplicate: true}, true, nil
	}
	return d.commit(ctx, c, decision, o)
}

// refuse gives the answer to a change that is not made, unless that turns out to be
// wrong.
func (d *doc) refuse(ctx context.Context, c *Change, o Options) (out Outcome, done bool, err error) {
	v, err := d.service.store.Find(ctx, d.channel, c.Key)
	if err != nil {
		return out, false, err
	}
	if err = d.refresh(ctx, o); err != nil {
		return out, false, err
	}
	if v > 0 {
		return Outcome{Epoch: d.state.Epoch, Version: v, Duplicate: true}, true, nil
	}
	decision := d.state.Decide(c, o)
	if decision.Err == nil {
		return out, false, nil
	}
	return Outcome{Epoch: d.state.Epoch, Version: d.state.Version, Err: decision.Err, State: d.text()}, true, nil
}

func (d *doc) commit(ctx context.Context, c *Change, decision Decision, o Options) (out Outcome, done bool, err error) {
	e := Entry{Version: d.state.Version + 1, Key: c.Key, Author: c.Author, Time: time.Now(), Patch: c.Patch.Text(), Touched: decision.Touched}
	order := Commit{Epoch: d.state.Epoch, Entry: e, Keep: o.History}
	var text []byte
	if d.due(&e, decision.Tree) {
		text = decision.Tree.Text()
		order.Snapshot = text
	}
	if c.Origin != nil {
		f := flight{d.channel, e.Key}
		d.service.depart(f, c.Origin)
		defer d.service.land(f)
	}
	res, err := d.service.store.Commit(ctx, d.channel, order)
	switch {
	case err != nil:
		d.forget() // it may have been made
		return out, false, err
	case res.Duplicate:
		return Outcome{Epoch: order.Epoch, Version: res.Version, Duplicate: true}, true, nil
	case res.Version == 0:
		return out, false, d.refresh(ctx, o)
	}
	d.state = d.state.next(decision.Tree, e, o.History)
	d.count(&e)
	if text != nil {
		d.written, d.snapshot, d.since = text, e.Version, 0
	}
	return Outcome{Epoch: order.Epoch, Version: e.Version}, true, nil
}

// A snapshot is due after so many changes, when the changes since the last one take
// more than the document (but not for each one of a small document), and when the
// document was replaced, for which it costs nothing.
const (
	snapshotEvery = 100
	snapshotBytes = 16 << 10
)

func (d *doc) due(e *Entry, tree Tree) bool {
	if slices.Contains(e.Touched, "") {
		return true
	}
	return e.Version-d.snapshot >= snapshotEvery || d.since+e.Bytes() > max(snapshotBytes, tree.Size())
}
