package redis

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// runLoop starts all goroutines that last as long as their shard. It starts them again after a
// panic, and close waits for their end.
func TestPanicOfALoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, began := new(panictest.Log), 0
		s := &shard{log: log.Logger()}
		s.ctx, s.cancel = context.WithCancel(t.Context())
		s.runLoop(&s.wg, "a loop", func() {
			if began++; began == 1 {
				panic("loop")
			}
			<-s.ctx.Done()
		})
		time.Sleep(time.Minute)
		s.cancel()
		s.wg.Wait()
		log.Once(t, "a loop", "loop")
		if began != 2 {
			t.Errorf("the loop began %d times", began)
		}
	})
}

// If a goroutine of a subscribed connection panics, the connection ends, and another one takes
// its place.
func TestPanicOfASubscription(t *testing.T) {
	t.Parallel()
	broken := func(context.Context, ...string) error { panic("broken") }
	for what, start := range map[string]func(k *conn){
		"the writer of a subscription": func(k *conn) { k.queueChange("topic", true); k.writeChanges() },
		"the watch over a subscription": func(k *conn) {
			k.link.c.batch = nil // watchSilence uses it when nothing arrives
			k.watchSilence()
		},
		"the reader of a subscription": func(k *conn) { _ = k.readUntilEnd() }, // there is no connection
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := new(panictest.Log)
				near, far := net.Pipe()
				k := &conn{
					link:   &link{c: &shard{log: log.Logger(), o: Options{Probe: time.Second}, ctx: t.Context()}},
					dialed: &dialOnce{conn: near}, subscribe: broken,
					wake: make(chan struct{}, 1), done: make(chan struct{}),
				}
				k.runGuarded(what, func() { start(k) })
				if err := k.endReason(nil); !errors.Is(err, errPanicked) {
					t.Errorf("the connection ended with %v", err)
				}
				if _, err := far.Read(make([]byte, 1)); err == nil {
					t.Error("the connection is still open")
				}
				if got := log.Panics(t, what); len(got) != 1 {
					t.Errorf("panics: %q", got)
				}
			})
		})
	}
}

// stickyConn is a connection whose Close closes it and panics.
type stickyConn struct{ net.Conn }

func (c stickyConn) Close() error {
	_ = c.Conn.Close()
	panic("close")
}

// A connection whose Close panics leaves nothing locked.
func TestPanicInTheEndOfASubscription(t *testing.T) {
	log := panictest.Default(t)
	near, _ := net.Pipe()
	d := &dialOnce{conn: stickyConn{near}}
	d.close()
	log.Once(t, "the end of a subscription", "close")
	if _, err := d.Dial(t.Context(), "tcp", ""); !errors.Is(err, errConnUsed) {
		t.Errorf("a connection that is over dials: %v", err)
	}
}

// If a call panics with one of several Redis, the others are still called.
func TestPanicWithOneOfSeveral(t *testing.T) {
	log := panictest.Default(t)
	var done atomic.Int32
	err := inParallel([]int{1, 2, 3}, func(i int) error {
		if i == 2 {
			panic("two")
		}
		done.Add(1)
		return nil
	})
	if !errors.Is(err, errPanicked) || done.Load() != 2 {
		t.Errorf("%v, and done with %d", err, done.Load())
	}
	log.Once(t, "one of several Redis", "two")
}

// The batcher works off its queue after a panic that no batch caused.
func TestPanicOfAFlight(t *testing.T) {
	t.Parallel()
	log := new(panictest.Log)
	o := patientOptions(startServer(t).Addr)
	o.Logger = log.Logger()
	b := open(t, o).shards[0].batch
	b.mu.Lock()
	b.queue = append(b.queue, nil) // not a call
	b.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := b.do(t.Context(), &call{args: []any{"incr", "n"}}); err != nil {
			t.Error(err)
		}
	})
	const what = "the commands to Redis"
	eventually(t, "the flight panics", func() bool { return len(log.Panics(t, what)) > 0 })
	b.mu.Lock()
	b.queue = b.queue[1:]
	b.mu.Unlock()
	wg.Wait()
}

// A node whose comparison of layouts panics keeps running, and can be closed.
func TestPanicOfTheComparisonOfLayouts(t *testing.T) {
	t.Parallel()
	log := new(panictest.Log)
	o := quickOptions(startServer(t).Addr)
	o.Logger = log.Logger()
	c := open(t, o)
	c.layouts.places[0].every = 0 // rand.N of a part of it panics
	if err := c.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the comparison panics", func() bool { return len(log.Panics(t, "the comparison of layouts")) > 0 })
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
