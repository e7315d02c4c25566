package document

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// News is what a service announces of a document.
type News struct {
	Channel string
	Epoch   string
	// Entry is the change. The zero Entry means that changes were missed, and that the
	// document must be read again.
	Entry Entry
	// Origin is the Origin of the [Change] if it was proposed on this node; otherwise nil.
	Origin any
}

// Outcome is the result of a change.
type Outcome struct {
	// Epoch and Version are those after the change or, if it was rejected, those of State.
	Epoch   string
	Version uint64
	// Duplicate reports that the change was accepted before.
	Duplicate bool
	// Err says why the change was rejected; nil if it was accepted.
	Err *Error
	// State is the current state if the change was rejected.
	State []byte
}

// Snapshot is a document at a version.
type Snapshot struct {
	Epoch   string
	Version uint64
	// State is compact JSON, and must not be changed.
	State []byte
	// Stale reports that the store cannot be reached, so that newer versions may exist.
	Stale bool
}

// Service makes changes of documents and announces all changes to this node.
type Service struct {
	// Static after New.
	store    Store
	announce func(News)
	log      *slog.Logger

	divergences atomic.Uint64

	// Guarded by mu.
	mu      sync.Mutex
	cache   cache
	flights map[flight]*journey // the changes that are being made
	closed  bool
}

// flight identifies a change that is being committed.
type flight struct{ channel, key string }

// journey is what happens to a flight. Guarded by Service.mu.
type journey struct {
	origin any
	// epoch and version are those that the change was announced with; 0: it was not.
	epoch   string
	version uint64
}

// New returns a service with the store that open makes. The service is the store's Sink.
// [Service.Close] closes the store. announce is called with each change, in the order of a
// document's versions. A lock of the store may be held then, so announce must not block.
func New(open func(Sink) (Store, error), announce func(News)) (*Service, error) {
	s := &Service{announce: announce, log: slog.New(slog.DiscardHandler), flights: make(map[flight]*journey)}
	store, err := open(s)
	if err != nil {
		return nil, err
	}
	s.store = store
	return s, nil
}

// WithLogger sets the log for what an operator should know, and returns s. It is called
// before the service is used.
func (s *Service) WithLogger(l *slog.Logger) *Service {
	s.log = l
	return s
}

// Divergences returns how often this node found that its state of a document differs from
// that of other nodes. It reads the document again then.
func (s *Service) Divergences() uint64 { return s.divergences.Load() }

func (s *Service) logDivergence(channel string, err error) {
	s.divergences.Add(1)
	s.log.Error("a document is not what it is elsewhere, and is read anew", "channel", channel, "error", err)
}

// Attach starts the announcement of a document's changes, and Detach ends it. They are
// counted. Changes of other documents may be announced as well.
func (s *Service) Attach(ctx context.Context, channel string) error {
	if err := s.store.Attach(ctx, channel); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.attach(channel)
	return nil
}

// Detach undoes one Attach. It does not block.
func (s *Service) Detach(channel string) {
	s.mu.Lock()
	s.cache.detach(channel)
	s.mu.Unlock()
	s.store.Detach(channel)
}

// Read returns the current state. While the store cannot be reached, it returns the latest
// state that this node knows, if the document is attached and no change was missed. Errors
// are those of the store, and ErrClosed.
func (s *Service) Read(ctx context.Context, channel string, o Options) (snap Snapshot, err error) {
	o = o.withDefaults()
	err = s.withTurn(ctx, channel, func(d *doc) error {
		err := d.refresh(ctx, o)
		stale := errors.Is(err, ErrUnavailable) && d.upToDate(o)
		if err != nil && !stale {
			return err
		}
		snap = Snapshot{d.state.Epoch, d.state.Version, d.text(), stale}
		return nil
	})
	return snap, err
}

// Forget removes a document with its log and keys. It is empty then, in another epoch, and
// its followers are notified to read it again. If only is not the zero Known, it must be
// the document's epoch and version; otherwise Forget returns false and does nothing. Errors
// are those of the store, and ErrClosed.
func (s *Service) Forget(ctx context.Context, channel string, only Known) (done bool, err error) {
	err = s.withTurn(ctx, channel, func(d *doc) (err error) {
		if done, err = s.store.Forget(ctx, channel, only); done {
			d.reset()
		}
		return err
	})
	return done, err
}

// List returns the documents of all nodes, see [Store.List].
func (s *Service) List(ctx context.Context, prefix, after string, limit int) (page []Info, more bool, err error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, false, ErrClosed
	}
	return s.store.List(ctx, prefix, after, limit)
}

// maxTries is how often a change is tried when changes of other nodes come first. The
// changes of one node wait for each other. The node whose change was accepted has the new
// state before the others, and could win every time. So a change that lost some times waits
// for a moment, up to maxPause, before it is tried again.
const (
	maxTries = 200
	maxPause = 2 * time.Millisecond
)

// Change makes a change. The [Outcome] says whether it was accepted. Errors are those of the
// store, and ErrClosed. After an error it is not known whether the change was made, and it
// may be proposed again with the same key. If the change is announced with its Origin, the
// outcome is that of a change just made, also if it is the repeat of one whose news are
// late: the proposer gets one answer and not two.
func (s *Service) Change(ctx context.Context, channel string, c Change, o Options) (out Outcome, err error) {
	o = o.withDefaults()
	if c.Key == "" {
		c.Key = rand.Text()
	}
	err = s.withTurn(ctx, channel, func(d *doc) (err error) {
		if c.Origin == nil {
			out, err = d.propose(ctx, &c, o)
			return err
		}
		f := flight{channel, c.Key}
		s.addOrigin(f, c.Origin)
		defer func() {
			if j := s.removeOrigin(f); j.version > 0 {
				out, err = Outcome{Epoch: j.epoch, Version: j.version}, nil
			}
		}()
		out, err = d.propose(ctx, &c, o)
		return err
	})
	return out, err
}

// propose tries to make a change until it is made or refused. Needs the turn.
func (d *doc) propose(ctx context.Context, c *Change, o Options) (Outcome, error) {
	for n := range maxTries {
		if out, done, err := d.tryChange(ctx, c, o); done || err != nil {
			return out, err
		}
		if n >= 3 {
			if err := pause(ctx, mathrand.N(maxPause)); err != nil {
				return Outcome{}, err
			}
		}
	}
	return Outcome{}, fmt.Errorf("%w: others change the document too fast", ErrUnavailable)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withTurn calls f with the turn of a document.
func (s *Service) withTurn(ctx context.Context, channel string, f func(*doc) error) error {
	d, err := s.useDoc(channel)
	if err != nil {
		return err
	}
	defer s.releaseDoc(d)
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.turn }()
	return f(d)
}

func (s *Service) useDoc(channel string) (*doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	return s.cache.enter(channel, func() *doc {
		return &doc{service: s, channel: channel, turn: make(chan struct{}, 1)}
	}), nil
}

func (s *Service) releaseDoc(d *doc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.leave(d, time.Now())
}

// addOrigin notes the origin of a change before the commit.
func (s *Service) addOrigin(f flight, origin any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights[f] = &journey{origin: origin}
}

// removeOrigin ends a flight: from now on its change is announced without an origin.
func (s *Service) removeOrigin(f flight) *journey {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.flights[f]
	delete(s.flights, f)
	return j
}

// arrive notes that a change is announced, and returns its origin. Needs mu.
func (s *Service) arrive(channel, epoch string, e *Entry) any {
	j := s.flights[flight{channel, e.Key}]
	if j == nil || j.version > 0 {
		return nil
	}
	j.epoch, j.version = epoch, e.Version
	return j.origin
}

// Close closes the store. Changes that are being made may fail.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.cache = cache{}
	s.mu.Unlock()
	return s.store.Close()
}
