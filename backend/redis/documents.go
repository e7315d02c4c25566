package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

	calls atomic.Uint64 // numbers the commits of this node
	due   due[*follower]

	mu     sync.RWMutex // taken for writing by Close alone
	closed bool
	ctx    context.Context // over when the store is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ document.Store = (*Documents)(nil)

// documents starts a store that delivers to sink.
func (c *shard) documents(sink document.Sink) *Documents {
	s := &Documents{c: c, sink: sink}
	s.ctx, s.cancel = context.WithCancel(c.ctx)
	s.due.init()
	c.keep(&s.wg, "the comparison of documents", func() { s.due.work(s.ctx, s.compareAll) })
	c.keep(&s.wg, "the comparison of idle documents", s.compareIdle)
	return s
}

func (s *Documents) open(ctx context.Context) error {
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
	c.again = true
	result, err := s.c.batch.do(ctx, c)
	switch {
	case err == nil || ctx.Err() != nil:
		return result, err
	case s.ctx.Err() != nil:
		return nil, document.ErrClosed
	}
	return nil, unavailable(err)
}

// unavailable says in the words of documents that Redis can not be reached.
func unavailable(err error) error { return fmt.Errorf("%w: %v", document.ErrUnavailable, err) }

// call makes a call of a script that begins with document.lua.
func (s *Documents) call(script *script, channel string, known document.Known, more ...any) *call {
	n := s.c.names
	args := append([]any{
		history.NewEpoch(), n.changes(channel),
		known.Epoch, strconv.FormatUint(known.Version, 10), appendAnchor(known.Anchor),
	}, more...)
	return &call{
		script: script, again: true,
		keys: append(n.document(channel), n.ledger()...),
		args: append(args, channel, n.prefix),
	}
}

// read asks for what follows a state, one page. With brief that is all that is wanted.
func (s *Documents) read(ctx context.Context, channel string, known document.Known, brief bool) (docAnswer, error) {
	result, err := s.run(ctx, s.load(channel, known, brief))
	if err != nil {
		return docAnswer{}, err
	}
	a, err := parseAnswer(result)
	if err != nil {
		return a, unavailable(err)
	}
	return a, nil
}

func (s *Documents) load(channel string, known document.Known, brief bool) *call {
	flag := "0"
	if brief {
		flag = "1"
	}
	return s.call(loadScript, channel, known, flag)
}

// Load implements [document.Store].
func (s *Documents) Load(ctx context.Context, channel string, known document.Known) (document.Record, error) {
	if err := s.open(ctx); err != nil {
		return document.Record{}, err
	}
	var rec document.Record
	for at, begun := known, false; ; begun = true {
		a, err := s.read(ctx, channel, at, false)
		if err != nil {
			return document.Record{}, err
		}
		s.offer(channel, &a)
		if a.whole || !begun {
			rec = a.record(known)
		} else {
			rec.Entries = append(rec.Entries, a.entries...)
		}
		if at = a.reached(); at == a.top {
			return rec, nil
		}
	}
}

// Commit implements [document.Store]. One that fails with [document.ErrUnavailable] may
// have been executed all the same.
func (s *Documents) Commit(ctx context.Context, channel string, c document.Commit) (document.Committed, error) {
	if err := s.open(ctx); err != nil {
		return document.Committed{}, err
	}
	known := document.Known{Epoch: c.Epoch, Version: c.Entry.Version - 1, Anchor: c.After}
	if c.Entry.Version == 0 {
		known = document.Known{} // follows nothing
	}
	call := s.call(commitScript, channel, known,
		appendEntry(make([]byte, 0, 64+c.Entry.Bytes()), &c.Entry), appendAnchor(c.Entry.Anchor), c.Snapshot,
		strconv.Itoa(max(c.Keep, 0)), s.c.node+strconv.FormatUint(s.calls.Add(1), 10), s.c.o.KeyWindow.Milliseconds(),
		max(c.KeepBytes, 0), payer(c.Payer), c.Share, c.Memory, c.TTL.Milliseconds())
	call.keys = slices.Insert(call.keys, 2, s.c.names.change(channel, c.Entry.Key))
	result, err := s.run(ctx, call)
	f := s.find(channel)
	if err != nil {
		if errors.Is(err, document.ErrUnavailable) && f.has(c.Epoch, &c.Entry) {
			return document.Committed{Version: c.Entry.Version}, nil // the reply was lost
		}
		return document.Committed{}, err
	}
	reply, _ := result.([]any)
	if len(reply) != 2 {
		return document.Committed{}, unavailable(unexpected(result))
	}
	switch reply[0] {
	case int64(0):
		return s.late(channel, known, reply[1])
	case int64(3):
		return document.Committed{}, full(reply[1])
	}
	version, err := strconv.ParseUint(texts(result)[1], 10, 64)
	switch {
	case err != nil:
		return document.Committed{}, unavailable(unexpected(result))
	case reply[0] == int64(2):
		return document.Committed{Version: version, Duplicate: true}, nil
	}
	return document.Committed{Version: version}, s.own(ctx, f, c.Epoch, c.Entry)
}

// late is the outcome of a commit that others came before.
func (s *Documents) late(channel string, known document.Known, result any) (document.Committed, error) {
	a, err := parseAnswer(result)
	if err != nil {
		return document.Committed{}, unavailable(err)
	}
	s.offer(channel, &a)
	if a.reached() != a.top {
		return document.Committed{}, nil // a page is not enough
	}
	rec := a.record(known)
	return document.Committed{Now: &rec}, nil
}

// own hands over an entry of this node, and all before it, before the commit returns.
func (s *Documents) own(ctx context.Context, f *follower, epoch string, e document.Entry) error {
	if f == nil {
		return nil
	}
	f.receiveEntry(epoch, e)
	for f.attached.Load() > 0 && !f.has(epoch, &e) {
		more, err := s.compare(ctx, f)
		if err != nil {
			return err
		}
		if !more && !f.has(epoch, &e) {
			return unavailable(errors.New("the change was lost again"))
		}
	}
	return nil
}

// Find implements [document.Store].
func (s *Documents) Find(ctx context.Context, channel, key string) (uint64, error) {
	if err := s.open(ctx); err != nil {
		return 0, err
	}
	n := s.c.names
	result, err := s.run(ctx, &call{script: findScript, keys: []string{n.document(channel)[0], n.change(channel, key)}})
	if err != nil {
		return 0, err
	}
	text, _ := result.(string)
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, unavailable(unexpected(result))
	}
	return version, nil
}

// find returns what follows a document here, or did just now; nil if nothing does.
func (s *Documents) find(channel string) *follower {
	f, _ := s.c.link.find(s.c.names.changes(channel)).(*follower)
	return f
}

// offer hands over what was read for another reason, as far as it is news.
func (s *Documents) offer(channel string, a *docAnswer) {
	if f := s.find(channel); f != nil {
		f.offer(a)
	}
}

// Attach implements [document.Store]. While Redis is away it succeeds for a document
// that is attached here already.
func (s *Documents) Attach(ctx context.Context, channel string) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	name := s.c.names.changes(channel)
	t, err := s.c.link.acquire(name, func() handler { return &follower{s: s, channel: strings.Clone(channel)} })
	if err != nil {
		return document.ErrClosed
	}
	f := t.handler.(*follower)
	live, err := s.c.link.await(ctx, t)
	if err == nil {
		err = f.place(ctx, live)
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
	if f := s.find(channel); f != nil {
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
	s.c.link.each(func(h handler) {
		if f, ok := h.(*follower); ok && f.s == s {
			f.end()
		}
	})
	return nil
}

// compareIdle has the documents compared in which nothing came for a while: the loss
// of the last entry shows in no other way.
func (s *Documents) compareIdle() {
	every := s.c.o.Check
	for pause(s.ctx, every*3/4+rand.N(every/2)) == nil {
		s.c.link.each(func(h handler) {
			if f, ok := h.(*follower); ok && f.s == s && f.idle() {
				s.due.add(f)
			}
		})
	}
}

// compare brings one document in step. More: there is another page.
func (s *Documents) compare(ctx context.Context, f *follower) (more bool, err error) {
	from := f.position()
	a, err := s.read(ctx, f.channel, from, true)
	if err != nil {
		return false, err
	}
	return f.apply(from, &a), nil
}

// compareAll brings documents in step and returns those with which it failed.
func (s *Documents) compareAll(fs []*follower) (failed []*follower) {
	from, calls := make([]document.Known, len(fs)), make([]*call, len(fs))
	for i, f := range fs {
		from[i] = f.position()
		calls[i] = s.load(f.channel, from[i], true)
		s.c.batch.submit(calls[i])
	}
	for i, f := range fs {
		<-calls[i].done
		a, err := parseAnswer(calls[i].result)
		switch {
		case calls[i].err != nil || err != nil:
			failed = append(failed, f)
		case f.apply(from[i], &a):
			s.due.add(f)
		}
	}
	return failed
}
