package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/document"
)

const (
	// maxAhead bounds the entries of a document that are held back while others are
	// missing; what is more is read from the log.
	maxAhead = 64
	// recentAnchors is of how many entries the anchors are known, to tell one that came
	// twice from another one with its version.
	recentAnchors = 64
)

// follower takes the entries of a document that a node follows.
type follower struct {
	// Set when it is made.
	s       *Documents
	channel string

	attached atomic.Int64 // how often; nothing is handed over when it is 0

	mu sync.Mutex
	// All below is guarded by mu, which is held while the sink is called.
	over    bool
	at      document.Known // handed over up to here; without an epoch it is not known
	anchors *[recentAnchors]uint64
	ahead   []document.Entry // of the epoch of at
	busy    bool             // something came since the last comparison of idle ones
}

// position is what was handed over.
func (f *follower) position() document.Known {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// place finds out where the document is, if that is not known. Without a subscription
// it can not.
func (f *follower) place(ctx context.Context, live bool) error {
	switch at := f.position(); {
	case at.Epoch != "":
		return nil
	case !live:
		return unavailable(errors.New("there is no subscription"))
	}
	_, err := f.s.compare(ctx, f)
	return err
}

// subscribed has the document compared: something may have been missed before.
func (f *follower) subscribed() {
	if f.position().Epoch != "" {
		f.s.due.add(f)
	}
}

// end stops deliveries for good.
func (f *follower) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
}

// idle reports that nothing came since it was last asked.
func (f *follower) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.busy
	f.busy = false
	return !was && f.at.Epoch != ""
}

// receive takes what was published.
func (f *follower) receive(payload string) {
	epoch, e, err := parseChanged(payload)
	if err == nil {
		f.receiveEntry(epoch, e)
	}
}

// receiveEntry takes an entry, whichever way it came; one without a version tells of
// its epoch alone.
func (f *follower) receiveEntry(epoch string, e document.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over || f.at.Epoch == "":
	case epoch != f.at.Epoch:
		f.s.due.add(f)
	case e.Follows(f.at):
		f.deliver(e)
		f.release()
	case e.Version <= f.at.Version && f.knows(&e):
	default:
		if e.Version > f.at.Version && len(f.ahead) < maxAhead {
			f.ahead = append(f.ahead, e)
		}
		f.s.due.add(f)
	}
}

// offer takes what was read for another reason, as far as it comes next.
func (f *follower) offer(a *docAnswer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over || f.at.Epoch == "":
	case a.top.Epoch != f.at.Epoch:
		f.s.due.add(f)
	default:
		f.deliverNext(a.entries)
	}
}

// has reports that an entry was handed over. It may be asked of nil.
func (f *follower) has(epoch string, e *document.Entry) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at.Epoch == epoch && e.Version <= f.at.Version && (f.at.Version-e.Version >= recentAnchors || f.knows(e))
}

// knows reports that an entry is the one that was handed over with its version. Needs
// mu.
func (f *follower) knows(e *document.Entry) bool {
	if e.Version == f.at.Version {
		return f.at.Anchor == e.Anchor
	}
	return f.anchors != nil && f.at.Version-e.Version < recentAnchors && f.anchors[e.Version%recentAnchors] == e.Anchor
}

// deliver hands over entries that follow. Needs mu.
func (f *follower) deliver(es ...document.Entry) {
	if f.anchors == nil {
		f.anchors = new([recentAnchors]uint64)
	}
	for i := range es {
		f.anchors[es[i].Version%recentAnchors] = es[i].Anchor
	}
	last := &es[len(es)-1]
	f.at.Version, f.at.Anchor, f.busy = last.Version, last.Anchor, true
	if f.attached.Load() > 0 {
		f.s.sink.Changed(f.channel, f.at.Epoch, es...)
	}
}

// deliverNext hands over those of some entries that come next, and what was held back
// behind them. Needs mu.
func (f *follower) deliverNext(es []document.Entry) {
	for i := range es {
		if es[i].Follows(f.at) {
			f.deliver(es[i])
		}
	}
	f.release()
}

// release hands over what was held back, as far as it follows. For what does not, the
// document is due already. Needs mu.
func (f *follower) release() {
	ahead := f.ahead
	f.ahead = nil
	for i := range ahead {
		if e := &ahead[i]; e.Follows(f.at) {
			f.deliver(*e)
		} else if e.Version > f.at.Version+1 {
			f.ahead = append(f.ahead, *e)
		}
	}
}

// apply takes what was read when the document was at a position. More: it has to be
// read again.
func (f *follower) apply(from document.Known, a *docAnswer) (more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over:
		return false
	case f.at.Epoch == "":
		f.at = a.top
		return false
	case a.whole && f.at != from || !a.whole && f.at.Epoch != from.Epoch:
		return true // something came meanwhile
	case a.whole:
		f.skip(a.top)
		return false
	}
	f.deliverNext(a.entries)
	return f.at.Version < a.top.Version
}

// skip goes on at a state, and says that what leads there was missed. Needs mu.
func (f *follower) skip(to document.Known) {
	f.at, f.anchors, f.ahead = to, nil, nil
	if f.attached.Load() > 0 {
		f.s.sink.Missed(f.channel)
	}
}
