package document

import (
	"context"
	"slices"
	"time"
)

// tryChange proposes a change once. done is false if another change came first. Needs the
// turn.
func (d *doc) tryChange(ctx context.Context, c *Change, o Options) (out Outcome, done bool, err error) {
	d.catchUp(o)
	if d.state.Epoch == "" || d.unsure {
		if err = d.refresh(ctx, o); err != nil {
			return out, false, err
		}
	}
	decision := d.state.Decide(c, o)
	if decision.Err != nil {
		// Only the current state of the store may reject a change, and not a change that was
		// accepted long ago.
		if out, done, err = d.reject(ctx, c, o); done || err != nil {
			return out, done, err
		}
		return out, false, nil
	}
	if decision.Duplicate > 0 {
		return Outcome{Epoch: d.state.Epoch, Version: decision.Duplicate, Duplicate: true}, true, nil
	}
	return d.commit(ctx, c, decision, o)
}

// reject returns the outcome of a rejected change. done is false if the store has a newer
// state in which the change may be accepted.
func (d *doc) reject(ctx context.Context, c *Change, o Options) (out Outcome, done bool, err error) {
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
	e.Anchor = e.AnchorAfter(d.state.anchor)
	if e.Version%hashEvery == 0 {
		e.Hash = decision.Tree.Hash()
	}
	order := Commit{
		Epoch: d.state.Epoch, Entry: e, After: d.state.anchor, Keep: o.History, KeepBytes: keepBytes(decision.Tree), TTL: o.TTL,
		Budget: c.Budget,
	}
	order.Memory = c.Budget.bound(d.state.Version)
	var text []byte
	if d.snapshotDue(&e, decision.Tree) {
		text = decision.Tree.Text()
		order.Snapshot = text
	}
	res, err := d.service.store.Commit(ctx, d.channel, order)
	if isFull(err) && d.mayCompact(decision.Tree) {
		// Before the change is rejected the log of the document is dropped.
		if text == nil {
			text = decision.Tree.Text()
		}
		order.Snapshot, order.Keep = text, 1
		res, err = d.service.store.Commit(ctx, d.channel, order)
	}
	switch {
	case isFull(err):
		d.fullAt = d.state.Version
		return out, false, err
	case err != nil:
		d.unsure = true
		return out, false, err
	case res.Duplicate:
		return Outcome{Epoch: order.Epoch, Version: res.Version, Duplicate: true}, true, nil
	case res.Version == 0 && res.Now != nil:
		return out, false, d.applyRecord(ctx, *res.Now, o)
	case res.Version == 0:
		return out, false, d.refresh(ctx, o)
	}
	d.state = d.state.next(decision.Tree, e, order.Keep)
	d.countEntry(&e)
	if text != nil {
		d.written, d.snapshot, d.since = text, e.Version, 0
	}
	return Outcome{Epoch: order.Epoch, Version: e.Version}, true, nil
}

// mayCompact reports whether a change that found the store full may be committed once more
// with a snapshot and a log of one entry. That is so if the change makes it smaller,
// and otherwise once for each version, because it costs as much as the document is large.
func (d *doc) mayCompact(tree Tree) bool {
	return tree.Size() < d.state.Tree.Size() || d.fullAt != d.state.Version
}

// snapshotEvery and snapshotBytes say when a snapshot is due: after so many changes, and when
// the changes since the last one take more bytes than that and than the document. It is
// also due when the document was replaced, because then it costs nothing.
const (
	snapshotEvery = 100
	snapshotBytes = 16 << 10
)

func (d *doc) snapshotDue(e *Entry, tree Tree) bool {
	if slices.Contains(e.Touched, "") {
		return true
	}
	return e.Version-d.snapshot >= snapshotEvery || d.since+e.Bytes() > max(snapshotBytes, tree.Size())
}
