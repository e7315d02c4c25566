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
// A change is one script, which appends the entry if the document is where the change
// was made to, and publishes it; whoever is late is told in the same reply what came
// first. A node that follows a document hands over what is published, and knows by
// versions and anchors whether something is missing, which it then reads from the log.
//
// Nothing is kept of a document that nobody has changed; its epoch is a hash of its name,
// a secret, and a number that grows when a document of the name ends.
type Documents struct {
	// Set when it is made.
	c    *shard
	sink document.Sink

	calls     atomic.Uint64 // numbers the commits of this node
	toCompare compareQueue[*follower]

	mu     sync.RWMutex // taken for writing by Close alone
	closed bool
	ctx    context.Context // over when the store is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ document.Store = (*Documents)(nil)

// documents starts a store that delivers to sink.
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

// run is what every call to Redis goes through. All are harmless twice.
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

// unavailable says in the words of documents that Redis can not be reached.
func unavailableError(err error) error { return fmt.Errorf("%w: %v", document.ErrUnavailable, err) }

// call makes a call of a script that begins with document.lua.
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

// read asks for what follows a state, one page. With brief that is all that is wanted.
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

// find returns what follows a document here, or did just now; nil if nothing does.
func (s *Documents) findFollower(channel string) *follower {
	f, _ := s.c.link.findHandler(s.c.names.changes(channel)).(*follower)
	return f
}

// offer hands over what was read for another reason, as far as it is news.
func (s *Documents) offerEntries(channel string, a *docPage) {
	if f := s.findFollower(channel); f != nil {
		f.offerPage(a)
	}
}

// Attach implements [document.Store]. While Redis is away it succeeds for a document
// that is attached here already.
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

// Close implements [document.Store]: nothing is delivered any more when it returns.
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

// compareIdle has the documents compared in which nothing came for a while: the loss
// of the last entry shows in no other way.
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

// compare brings one document in step. More: there is another page.
func (s *Documents) compareDocument(ctx context.Context, f *follower) (more bool, err error) {
	from := f.position()
	a, err := s.readPage(ctx, f.channel, from, true)
	if err != nil {
		return false, err
	}
	return f.applyPage(from, &a), nil
}

// compareAll brings documents in step and returns those with which it failed.
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
