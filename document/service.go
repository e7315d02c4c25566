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
	// Entry is the change that was made; its zero value says that some were lost, and
	// that the document must be read again.
	Entry Entry
	// Origin is that of the [Change], if it was proposed on this node; else nil.
	Origin any
}

// Outcome is what became of a change.
type Outcome struct {
	// Epoch and Version are those that the change led to, or if it was refused, those
	// of State.
	Epoch   string
	Version uint64
	// Duplicate reports that the change was made before.
	Duplicate bool
	// Err says why the change was refused; nil: it was made.
	Err *Error
	// State is the current state, if the change was refused.
	State []byte
}

// Snapshot is a document at a version.
type Snapshot struct {
	Epoch   string
	Version uint64
	// State is compact JSON, and must not be changed.
	State []byte
	// Stale reports that the store can not be reached, and that there may be newer
	// versions elsewhere.
	Stale bool
}

// Service makes changes of documents, and tells this node of all that are made.
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

// flight is a change on its way through the store.
type flight struct{ channel, key string }

// journey is what happens to a flight. Guarded by Service.mu.
type journey struct {
	origin any
	// epoch and version are those that the change was announced with; 0: it was not.
	epoch   string
	version uint64
}

// New returns a service on the store that open makes. The service is the store's
// Sink, and closes it in [Service.Close]. announce tells this node of changes; it is
// called in the order of a document's versions, maybe with a lock of the store held,
// and must not block.
func New(open func(Sink) (Store, error), announce func(News)) (*Service, error) {
	s := &Service{announce: announce, log: slog.New(slog.DiscardHandler), flights: make(map[flight]*journey)}
	store, err := open(s)
	if err != nil {
		return nil, err
	}
	s.store = store
	return s, nil
}

// WithLogger has what an operator should know logged. It is called before the service is
// used, and returns s.
func (s *Service) WithLogger(l *slog.Logger) *Service {
	s.log = l
	return s
}

// Divergences counts how often this node found that what it has of a document is not
// what others have. It reads it anew then.
func (s *Service) Divergences() uint64 { return s.divergences.Load() }

func (s *Service) diverged(channel string, err error) {
	s.divergences.Add(1)
	s.log.Error("a document is not what it is elsewhere, and is read anew", "channel", channel, "error", err)
}

// Attach begins to announce the changes of a document, and Detach ends it. They are
// counted. Other changes may be announced as well.
func (s *Service) Attach(ctx context.Context, channel string) error {
	if err := s.store.Attach(ctx, channel); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.attach(channel)
	return nil
}

// Detach takes back one Attach. It does not block.
func (s *Service) Detach(channel string) {
	s.mu.Lock()
	s.cache.detach(channel)
	s.mu.Unlock()
	s.store.Detach(channel)
}

// Read gives the current state. Of a document that is attached, and that this node
// has followed so far, it gives the latest one known here while the store can not be
// reached. Errors are those of the store, and ErrClosed.
func (s *Service) Read(ctx context.Context, channel string, o Options) (snap Snapshot, err error) {
	o = o.withDefaults()
	err = s.in(ctx, channel, func(d *doc) error {
		err := d.refresh(ctx, o)
		stale := errors.Is(err, ErrUnavailable) && d.follows(o)
		if err != nil && !stale {
			return err
		}
		snap = Snapshot{d.state.Epoch, d.state.Version, d.text(), stale}
		return nil
	})
	return snap, err
}

// Forget removes a document and all that is known of it, so that it is empty again, in
// another epoch. Whoever follows it is told to read it again. With another Known than the
// zero one that happens only if it is the document's epoch and version; false: it is
// not. Errors are those of the store, and ErrClosed.
func (s *Service) Forget(ctx context.Context, channel string, only Known) (done bool, err error) {
	err = s.in(ctx, channel, func(d *doc) (err error) {
		if done, err = s.store.Forget(ctx, channel, only); done {
			d.forget()
		}
		return err
	})
	return done, err
}

// List gives the documents of all nodes, see [Store.List].
func (s *Service) List(ctx context.Context, prefix, after string, limit int) (page []Info, more bool, err error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, false, ErrClosed
	}
	return s.store.List(ctx, prefix, after, limit)
}

// maxTries is how often a change is tried when others come first. Within a node changes
// wait for each other, so that others are other nodes. The one that has just won is ready
// for its next change before the others have made up for it, and could win for ever: so
// whoever has lost some times waits for a moment, up to maxPause, before it tries again.
const (
	maxTries = 200
	maxPause = 2 * time.Millisecond
)

// Change makes a change, or says in the [Outcome] why not. Errors are those of the
// store, and ErrClosed: then it is not known whether the change was made, and it may
// be proposed again with the same key. If the change is announced with its Origin, the
// outcome is that of a change just made, also if it is the repeat of one whose news are
// late: the proposer gets one answer and not two.
func (s *Service) Change(ctx context.Context, channel string, c Change, o Options) (out Outcome, err error) {
	o = o.withDefaults()
	if c.Key == "" {
		c.Key = rand.Text()
	}
	err = s.in(ctx, channel, func(d *doc) (err error) {
		if c.Origin == nil {
			out, err = d.propose(ctx, &c, o)
			return err
		}
		f := flight{channel, c.Key}
		s.depart(f, c.Origin)
		defer func() {
			if j := s.land(f); j.version > 0 {
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
		if out, done, err := d.try(ctx, c, o); done || err != nil {
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

// in does f with the turn of a document.
func (s *Service) in(ctx context.Context, channel string, f func(*doc) error) error {
	d, err := s.enter(channel)
	if err != nil {
		return err
	}
	defer s.leave(d)
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.turn }()
	return f(d)
}

func (s *Service) enter(channel string) (*doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	return s.cache.enter(channel, func() *doc {
		return &doc{service: s, channel: channel, turn: make(chan struct{}, 1)}
	}), nil
}

func (s *Service) leave(d *doc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.leave(d, time.Now())
}

// depart notes where a change comes from before it goes to the store.
func (s *Service) depart(f flight, origin any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights[f] = &journey{origin: origin}
}

// land ends a flight: from now on its change is announced without an origin.
func (s *Service) land(f flight) *journey {
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
