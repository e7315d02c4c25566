package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Documents is a [document.Store] over one shard.
//
// A change is one script. It appends and publishes the entry if the document is still at the
// version for which the change was made. A late change gets the entries that came first in the
// same reply. A node that follows a document delivers the published entries. Versions and
// anchors show whether an entry is missing; then the node reads the log.
//
// Redis stores nothing of a document that was never changed. The epoch of such a document is a
// hash of its name, a secret, and a number that grows when a document of that name ends.
type Documents struct {
	// Set by startDocuments.
	c    *shard
	sink document.Sink

	calls     atomic.Uint64 // numbers the commits of this node
	toCompare compareQueue[*follower]

	mu     sync.RWMutex // only Close locks it for writing
	closed bool
	ctx    context.Context // ends when the store is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ document.Store = (*Documents)(nil)

// startDocuments starts a store that delivers to sink.
func (c *shard) startDocuments(sink document.Sink) *Documents {
	s := &Documents{c: c, sink: sink}
	s.ctx, s.cancel = context.WithCancel(c.ctx)
	s.toCompare.init()
	c.runLoop(&s.wg, "the comparison of documents", func() { s.toCompare.run(s.ctx, s.compareDocuments) })
	c.runLoop(&s.wg, "the comparison of idle documents", s.queueIdleDocuments)
	return s
}

func (s *Documents) checkOpen(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return document.ErrClosed
	}
	return nil
}

// run sends a call to Redis. Every call of the store goes through it. All of them may be
// executed twice without harm.
func (s *Documents) run(ctx context.Context, c *call) (any, error) {
	c.repeatable = true
	result, err := s.c.batch.do(ctx, c)
	switch {
	case err == nil || ctx.Err() != nil:
		return result, err
	case s.ctx.Err() != nil:
		return nil, document.ErrClosed
	}
	return nil, unavailableError(err)
}

// unavailableError wraps err as the error of documents for an unreachable Redis.
func unavailableError(err error) error { return fmt.Errorf("%w: %v", document.ErrUnavailable, err) }

// scriptCall makes the call of a script that starts with document.lua.
func (s *Documents) scriptCall(script *script, channel string, known document.Known, more ...any) *call {
	n := s.c.names
	args := append([]any{
		history.NewEpoch(), n.changes(channel),
		known.Epoch, strconv.FormatUint(known.Version, 10), appendAnchor(known.Anchor),
	}, more...)
	return &call{
		script: script, repeatable: true,
		keys: append(n.document(channel), n.ledger()...),
		args: append(args, channel, n.prefix),
	}
}

// readPage reads one page of what follows a state. With brief it reads no snapshot.
func (s *Documents) readPage(ctx context.Context, channel string, known document.Known, brief bool) (docPage, error) {
	result, err := s.run(ctx, s.loadCall(channel, known, brief))
	if err != nil {
		return docPage{}, err
	}
	a, err := parseDocPage(result)
	if err != nil {
		return a, unavailableError(err)
	}
	return a, nil
}

func (s *Documents) loadCall(channel string, known document.Known, brief bool) *call {
	flag := "0"
	if brief {
		flag = "1"
	}
	return s.scriptCall(loadDocumentScript, channel, known, flag)
}

// Load implements [document.Store].
func (s *Documents) Load(ctx context.Context, channel string, known document.Known) (document.Record, error) {
	if err := s.checkOpen(ctx); err != nil {
		return document.Record{}, err
	}
	var rec document.Record
	for at, begun := known, false; ; begun = true {
		a, err := s.readPage(ctx, channel, at, false)
		if err != nil {
			return document.Record{}, err
		}
		s.offerEntries(channel, &a)
		if a.whole || !begun {
			rec = a.toRecord(known)
		} else {
			rec.Entries = append(rec.Entries, a.entries...)
		}
		if at = a.end(); at == a.top {
			return rec, nil
		}
	}
}

// findFollower returns the follower of a document that is attached here, or was attached until
// a moment ago. Otherwise it returns nil.
func (s *Documents) findFollower(channel string) *follower {
	f, _ := s.c.link.findHandler(s.c.names.changes(channel)).(*follower)
	return f
}

// offerEntries passes entries that were read for another reason to the follower, which delivers
// those that come next.
func (s *Documents) offerEntries(channel string, a *docPage) {
	if f := s.findFollower(channel); f != nil {
		f.offerPage(a)
	}
}

// Attach implements [document.Store]. While Redis is away it succeeds only for a document that
// is already attached here.
func (s *Documents) Attach(ctx context.Context, channel string) error {
	if err := s.checkOpen(ctx); err != nil {
		return err
	}
	name := s.c.names.changes(channel)
	t, err := s.c.link.acquire(name, func() handler { return &follower{s: s, channel: strings.Clone(channel)} })
	if err != nil {
		return document.ErrClosed
	}
	f := t.handler.(*follower)
	live, err := s.c.link.awaitLive(ctx, t)
	if err == nil {
		err = f.ensurePosition(ctx, live)
	}
	if err != nil {
		s.c.link.release(name)
		if errors.Is(err, hub.ErrClosed) {
			err = document.ErrClosed
		}
		return err
	}
	f.attached.Add(1)
	return nil
}

// Detach implements [document.Store].
func (s *Documents) Detach(channel string) {
	if f := s.findFollower(channel); f != nil {
		f.attached.Add(-1)
	}
	s.c.link.release(s.c.names.changes(channel))
}

// Close implements [document.Store]. When it returns, nothing is delivered any more.
func (s *Documents) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.cancel()
	s.wg.Wait()
	s.c.link.eachHandler(func(h handler) {
		if f, ok := h.(*follower); ok && f.s == s {
			f.stop()
		}
	})
	return nil
}

// queueIdleDocuments queues the documents in which nothing arrived for a while. No other entry
// shows that the last one was lost.
func (s *Documents) queueIdleDocuments() {
	every := s.c.o.Check
	for pause(s.ctx, every*3/4+rand.N(every/2)) == nil {
		s.c.link.eachHandler(func(h handler) {
			if f, ok := h.(*follower); ok && f.s == s && f.takeIdle() {
				s.toCompare.add(f)
			}
		})
	}
}

// compareDocument reads what a follower misses and delivers it. more is true if there is
// another page.
func (s *Documents) compareDocument(ctx context.Context, f *follower) (more bool, err error) {
	from := f.position()
	a, err := s.readPage(ctx, f.channel, from, true)
	if err != nil {
		return false, err
	}
	return f.applyPage(from, &a), nil
}

// compareDocuments does the same for several followers and returns those for which it failed.
func (s *Documents) compareDocuments(fs []*follower) (failed []*follower) {
	from, calls := make([]document.Known, len(fs)), make([]*call, len(fs))
	for i, f := range fs {
		from[i] = f.position()
		calls[i] = s.loadCall(f.channel, from[i], true)
		s.c.batch.submit(calls[i])
	}
	for i, f := range fs {
		<-calls[i].done
		a, err := parseDocPage(calls[i].result)
		switch {
		case calls[i].err != nil || err != nil:
			failed = append(failed, f)
		case f.applyPage(from[i], &a):
			s.toCompare.add(f)
		}
	}
	return failed
}
