package notify

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Service sends the events of an outbox to sinks. Make one with [New], close it with
// [Service.Close] before the outbox.
type Service struct {
	// Set by New.
	outbox Outbox
	owner  string // unique for each service
	o      Options

	log atomic.Pointer[slog.Logger]

	// Guarded by mu.
	mu      sync.Mutex
	closed  bool
	senders map[string]*senders // by sink
}

// senders are those of one sink, one for each queue.
type senders struct {
	sink   atomic.Pointer[Sink]
	counts counts
	parts  []*sender
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// Options are times of a [Service]. The zero value means the defaults.
type Options struct {
	// Lease is how long a claim holds without renewal. It is renewed every third of that. So it
	// is also the time after which another node goes on when one has died. 0 means 6 s.
	Lease time.Duration
	// Timeout is how long the app may take for an answer; 0 means 15 s.
	Timeout time.Duration
	// Pause is the pause before the first repetition; 0 means 500 ms. It doubles up to MaxPause;
	// 0 means 30 s.
	Pause, MaxPause time.Duration
}

func (o Options) withDefaults() Options {
	for d, v := range map[*time.Duration]time.Duration{
		&o.Lease: 6 * time.Second, &o.Timeout: 15 * time.Second, &o.Pause: 500 * time.Millisecond, &o.MaxPause: 30 * time.Second,
	} {
		if *d <= 0 {
			*d = v
		}
	}
	return o
}

// New returns a service without sinks.
func New(outbox Outbox, o Options) *Service {
	s := &Service{outbox: outbox, owner: rand.Text(), o: o.withDefaults(), senders: make(map[string]*senders)}
	s.log.Store(slog.New(slog.DiscardHandler))
	return s
}

// Choose lets an outbox record what sinks choose together, and returns that. [Service.Apply] does
// it too. A node that starts does it earlier: its store may record events before there is a service.
func Choose(outbox Outbox, sinks []Sink, b Bounds) *Choice {
	var chosen []*Choice
	for _, sink := range sinks {
		chosen = append(chosen, sink.Choice)
		b.Keep = max(b.Keep, sink.withDefaults().Retry+keepLonger)
	}
	choice := union(chosen)
	outbox.Choose(choice, b)
	return choice
}

// keepLonger is how much longer than the longest retry events are kept without a sender.
const keepLonger = time.Hour

// Apply puts sinks in force and returns what they choose together. A sink that was there goes on
// where it is, with the new options, from the next attempt on. If the app wanted no more events,
// it is asked again. A sink that is missing now gets nothing more.
func (s *Service) Apply(sinks []Sink, b Bounds, log *slog.Logger) *Choice {
	s.log.Store(log)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	names := make(map[string]bool)
	for _, sink := range sinks {
		names[sink.Name] = true
	}
	choice := Choose(s.outbox, sinks, b)
	for name, running := range s.senders {
		if !names[name] {
			running.stop()
			delete(s.senders, name)
		}
	}
	for _, sink := range sinks {
		s.applySink(sink.withDefaults())
	}
	return choice
}

// applySink starts the senders of a sink, or hands them its new options. Needs mu.
func (s *Service) applySink(sink Sink) {
	all := s.senders[sink.Name]
	if all != nil {
		all.sink.Store(&sink)
		for _, one := range all.parts {
			one.reopen()
		}
		return
	}
	all = new(senders)
	all.sink.Store(&sink)
	all.ctx, all.cancel = context.WithCancel(context.Background())
	for _, q := range s.outbox.Queues() {
		one := &sender{service: s, all: all, name: sink.Name, queue: q, wake: q.Wake(sink.Name), applied: make(chan struct{}, 1)}
		one.reopen()
		all.parts = append(all.parts, one)
		all.wg.Go(one.runGuarded)
	}
	s.senders[sink.Name] = all
}

// stop ends the senders and waits for them. Requests that are under way are aborted.
func (all *senders) stop() {
	all.cancel()
	all.wg.Wait()
}

// Close ends all senders. Calling it again does nothing.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for name, running := range s.senders {
		running.stop()
		delete(s.senders, name)
	}
	return nil
}

// Stats returns the current figures of each sink, in the order of the names.
func (s *Service) Stats() []Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Stats
	for name, all := range s.senders {
		list = append(list, all.stats(name))
	}
	slices.SortFunc(list, func(a, b Stats) int {
		if a.Sink < b.Sink {
			return -1
		}
		return 1
	})
	return list
}
