package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/document"
)

const (
	// maxHeldEntries is how many entries of a document are held while entries before them are
	// missing. Further entries are read from the log later.
	maxHeldEntries = 64
	// recentAnchors is how many of the latest entries keep their anchor. With the anchor an
	// entry that arrives twice differs from another entry with the same version.
	recentAnchors = 64
)

// follower delivers the entries of one document in order, each once. It holds entries that are
// too early, and queues the document for a comparison when one is missing.
type follower struct {
	// Set when it is made.
	s       *Documents
	channel string

	attached atomic.Int64 // how often the document is attached; at 0 nothing is delivered

	mu sync.Mutex
	// All below is guarded by mu, which is held while the sink is called.
	stopped bool
	at      document.Known // delivered up to here; without an epoch it is unknown
	anchors *[recentAnchors]uint64
	held    []document.Entry // too early; of the epoch of at
	busy    bool             // something arrived since the last takeIdle
}

// position returns the state up to which entries were delivered.
func (f *follower) position() document.Known {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// ensurePosition reads where the document is, if that is unknown. It needs a subscription.
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

// subscribed queues the document: it may have missed entries before the subscription.
func (f *follower) subscribed() {
	if f.position().Epoch != "" {
		f.s.toCompare.add(f)
	}
}

// stop ends deliveries for good.
func (f *follower) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
}

// takeIdle reports whether nothing arrived since the last call.
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

// receiveEntry takes an entry, from Pub/Sub or from this node. An entry without a version only
// announces its epoch.
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

// offerPage takes a page that was read for another reason, and delivers the entries that come
// next.
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

// delivered reports whether an entry was delivered. f may be nil.
func (f *follower) delivered(epoch string, e *document.Entry) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at.Epoch == epoch && e.Version <= f.at.Version && (f.at.Version-e.Version >= recentAnchors || f.sameAsDelivered(e))
}

// sameAsDelivered reports whether the entry that was delivered with this version is the same
// one. Needs mu.
func (f *follower) sameAsDelivered(e *document.Entry) bool {
	if e.Version == f.at.Version {
		return f.at.Anchor == e.Anchor
	}
	return f.anchors != nil && f.at.Version-e.Version < recentAnchors && f.anchors[e.Version%recentAnchors] == e.Anchor
}

// deliver delivers entries that come next. Needs mu.
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

// deliverFollowing delivers those of some entries that come next, and then the held entries
// that follow them. Needs mu.
func (f *follower) deliverFollowing(es []document.Entry) {
	for i := range es {
		if es[i].Follows(f.at) {
			f.deliver(es[i])
		}
	}
	f.releaseHeld()
}

// releaseHeld delivers the held entries that come next. It keeps later ones; the document is
// already queued for what is missing. Needs mu.
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

// applyPage takes the page that was read when the document was at from. more is true if the
// document must be read again.
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
		return true // something arrived meanwhile
	case a.whole:
		f.skip(a.top)
		return false
	}
	f.deliverFollowing(a.entries)
	return f.at.Version < a.top.Version
}

// skip continues at a state, and tells the sink that entries before it were missed. Needs mu.
func (f *follower) skip(to document.Known) {
	f.at, f.anchors, f.held = to, nil, nil
	if f.attached.Load() > 0 {
		f.s.sink.Missed(f.channel)
	}
}
