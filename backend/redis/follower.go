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
	maxHeldEntries = 64
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
	stopped bool
	at      document.Known // handed over up to here; without an epoch it is not known
	anchors *[recentAnchors]uint64
	held    []document.Entry // of the epoch of at
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
func (f *follower) ensurePosition(ctx context.Context, live bool) error {
	switch at := f.position(); {
	case at.Epoch != "":
		return nil
	case !live:
		return unavailableError(errors.New("there is no subscription"))
	}
	_, err := f.s.compareDocument(ctx, f)
	return err
}

// subscribed has the document compared: something may have been missed before.
func (f *follower) subscribed() {
	if f.position().Epoch != "" {
		f.s.toCompare.add(f)
	}
}

// end stops deliveries for good.
func (f *follower) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
}

// idle reports that nothing came since it was last asked.
func (f *follower) takeIdle() bool {
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
	case f.stopped || f.at.Epoch == "":
	case epoch != f.at.Epoch:
		f.s.toCompare.add(f)
	case e.Follows(f.at):
		f.deliver(e)
		f.releaseHeld()
	case e.Version <= f.at.Version && f.sameAsDelivered(&e):
	default:
		if e.Version > f.at.Version && len(f.held) < maxHeldEntries {
			f.held = append(f.held, e)
		}
		f.s.toCompare.add(f)
	}
}

// offer takes what was read for another reason, as far as it comes next.
func (f *follower) offerPage(a *docPage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.stopped || f.at.Epoch == "":
	case a.top.Epoch != f.at.Epoch:
		f.s.toCompare.add(f)
	default:
		f.deliverFollowing(a.entries)
	}
}

// has reports that an entry was handed over. It may be asked of nil.
func (f *follower) delivered(epoch string, e *document.Entry) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at.Epoch == epoch && e.Version <= f.at.Version && (f.at.Version-e.Version >= recentAnchors || f.sameAsDelivered(e))
}

// knows reports that an entry is the one that was handed over with its version. Needs
// mu.
func (f *follower) sameAsDelivered(e *document.Entry) bool {
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
func (f *follower) deliverFollowing(es []document.Entry) {
	for i := range es {
		if es[i].Follows(f.at) {
			f.deliver(es[i])
		}
	}
	f.releaseHeld()
}

// release hands over what was held back, as far as it follows. For what does not, the
// document is due already. Needs mu.
func (f *follower) releaseHeld() {
	ahead := f.held
	f.held = nil
	for i := range ahead {
		if e := &ahead[i]; e.Follows(f.at) {
			f.deliver(*e)
		} else if e.Version > f.at.Version+1 {
			f.held = append(f.held, *e)
		}
	}
}

// apply takes what was read when the document was at a position. More: it has to be
// read again.
func (f *follower) applyPage(from document.Known, a *docPage) (more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.stopped:
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
	f.deliverFollowing(a.entries)
	return f.at.Version < a.top.Version
}

// skip goes on at a state, and says that what leads there was missed. Needs mu.
func (f *follower) skip(to document.Known) {
	f.at, f.anchors, f.held = to, nil, nil
	if f.attached.Load() > 0 {
		f.s.sink.Missed(f.channel)
	}
}
