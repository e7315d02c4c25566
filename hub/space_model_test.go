package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// faulty is a broker that fails and panics, before and after it has broadcast.
type faulty struct {
	*store
	rnd func(n int) int
}

func (b *faulty) Publish(ctx context.Context, m *Message, o PublishOptions) (Published, error) {
	time.Sleep(time.Duration(b.rnd(300)) * time.Microsecond)
	switch b.rnd(8) {
	case 0:
		return Published{}, errors.New("failed")
	case 1:
		panic("before")
	}
	p, err := b.store.Publish(ctx, m, o)
	if b.rnd(8) == 0 {
		panic("after")
	}
	time.Sleep(time.Duration(b.rnd(300)) * time.Microsecond)
	return p, err
}

// fickle is an event whose size can be asked for a number of times.
type fickle struct {
	mu   sync.Mutex
	left int
}

func (f *fickle) Size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left < 0 {
		panic("size")
	}
	return maxPending / 2
}

// jerky is a transport that lets others run meanwhile, and panics now and then. It does not
// sleep: its caller holds a lock, and in a bubble time stands still while others wait for it.
type jerky struct {
	*wire
	rnd func(n int) int
}

func (w jerky) TryWrite(p []byte) (int, error) {
	for range w.rnd(20) {
		runtime.Gosched()
	}
	if w.rnd(200) == 0 {
		panic("transport")
	}
	return len(p), nil
}

// brief is an Encoder that costs nothing, however large the events are.
type brief struct{ line }

func (*brief) AppendEvent(dst []byte, _ Event) []byte { return append(dst, '.') }

// strain is random traffic in a few rooms, whose space is short.
type strain struct {
	h   *Hub
	rnd func(n int) int

	mu    sync.Mutex
	rooms map[*room]bool // all that there ever were
}

func (s *strain) note(channel string) {
	if r := s.h.room(channel); r != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rooms[r] = true
	}
}

var large = kilobytes(900)

// survive calls f and ends its panic, as a session does.
func survive(f func()) {
	defer func() { _ = recover() }()
	f()
}

func (s *strain) publish(ctx context.Context) {
	channel := fmt.Sprint("h", s.rnd(3))
	switch s.rnd(5) {
	case 0:
		ctx = WithPatience(ctx, time.Duration(s.rnd(2000))*time.Microsecond)
	case 1:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.rnd(2000))*time.Microsecond)
		defer cancel()
	}
	m := &Message{Channel: channel, Content: large[:1+s.rnd(len(large))]}
	if s.rnd(6) == 0 {
		m.Direct = &Direct{To: Address{User: "ann"}}
	}
	switch s.rnd(8) {
	case 0:
		s.h.Announce(channel, &fickle{left: 1 + s.rnd(3)})
	case 1:
		if space, err := s.h.Reserve(ctx, channel, s.rnd(maxPending)); err == nil {
			s.h.Announce(channel, "news")
			time.Sleep(time.Duration(s.rnd(500)) * time.Microsecond)
			space.Release()
		}
	default:
		_, _ = s.h.Publish(ctx, m, "")
	}
}

func (s *strain) visit(t *testing.T, visits int) {
	encoder := new(brief)
	for range visits {
		var tr Transport = jerky{newWire(), s.rnd}
		if s.rnd(4) == 0 {
			tr = newWire()
		}
		c, err := s.h.Connect(ConnOptions{Transport: tr, Encoder: encoder, User: func() string { return "ann" }})
		if err != nil {
			t.Error(err)
			return
		}
		for i := range 3 {
			channel := fmt.Sprint("h", i)
			_, _ = s.h.Subscribe(t.Context(), c, channel, SubscribeOptions{})
			s.note(channel)
			time.Sleep(time.Duration(s.rnd(500)) * time.Microsecond)
		}
		if s.rnd(2) == 0 {
			s.h.Unsubscribe(c, "h1")
		}
		c.Close(ReasonNormal)
	}
}

// Whatever fails, panics, gives up or goes away: in the end no space is reserved, nothing is
// pending, no publisher waits and no room is taken for one that is being drained.
func TestSpaceIsAlwaysReleased(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				source := rand.New(rand.NewPCG(seed, 1))
				s := &strain{rooms: make(map[*room]bool), rnd: func(n int) int {
					mu.Lock()
					defer mu.Unlock()
					return source.IntN(n)
				}}
				h, b := newTestHub(t, wide)
				s.h, h.broker = h, &faulty{b, s.rnd}
				var all sync.WaitGroup
				for range 8 {
					all.Go(func() {
						for range 60 {
							survive(func() { s.publish(t.Context()) })
						}
					})
				}
				for range 3 {
					all.Go(func() { s.visit(t, 20) })
				}
				all.Wait()
				synctest.Wait()
				if n := h.pending.Load(); n != 0 {
					t.Errorf("%d counted when nothing is pending", n)
				}
				for r := range s.rooms {
					if r.load != 0 || r.reserved != 0 || len(r.pending) > 0 || r.draining || r.shared || r.waiting != nil && r.waiting.Len() > 0 {
						t.Errorf("left over in a room: load %d, reserved %d, %d pending, draining %v, shared %v", r.load, r.reserved, len(r.pending), r.draining, r.shared)
					}
				}
				if n := len(s.rooms); n < 10 {
					t.Errorf("%d rooms only", n)
				}
			})
		})
	}
}
