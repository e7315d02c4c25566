package document

import (
	"context"
	"slices"
	"time"
)

// try proposes a change once. False: others came first.
func (d *doc) try(ctx context.Context, c *Change, o Options) (out Outcome, done bool, err error) {
	d.catchUp(o)
	if d.state.Epoch == "" || d.unsure {
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
	if d.due(&e, decision.Tree) {
		text = decision.Tree.Text()
		order.Snapshot = text
	}
	res, err := d.service.store.Commit(ctx, d.channel, order)
	if isFull(err) && d.compactable(decision.Tree) {
		// The past of a document goes before anybody is refused.
		if text == nil {
			text = decision.Tree.Text()
		}
		order.Snapshot, order.Keep = text, 1
		res, err = d.service.store.Commit(ctx, d.channel, order)
	}
	switch {
	case isFull(err):
		d.tight = d.state.Version
		return out, false, err
	case err != nil:
		d.unsure = true
		return out, false, err
	case res.Duplicate:
		return Outcome{Epoch: order.Epoch, Version: res.Version, Duplicate: true}, true, nil
	case res.Version == 0 && res.Now != nil:
		return out, false, d.takeOver(ctx, *res.Now, o)
	case res.Version == 0:
		return out, false, d.refresh(ctx, o)
	}
	d.state = d.state.next(decision.Tree, e, order.Keep)
	d.count(&e)
	if text != nil {
		d.written, d.snapshot, d.since = text, e.Version, 0
	}
	return Outcome{Epoch: order.Epoch, Version: e.Version}, true, nil
}

// compactable reports that a change for which there is no room may be tried once more
// with the document written anew: when that makes it smaller, and else once for each
// version, because it costs as much as the document is large.
func (d *doc) compactable(tree Tree) bool {
	return tree.Size() < d.state.Tree.Size() || d.tight != d.state.Version
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
