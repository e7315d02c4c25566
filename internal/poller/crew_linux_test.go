package poller

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// stuck is a Handler that waits until it is let go.
type stuck struct {
	conn  *Conn
	yield bool
	began chan struct{}
	free  chan struct{}
}

func (s *stuck) Readable() {
	_, _ = s.conn.TryRead(make([]byte, 64))
	if s.yield {
		s.conn.Yield()
	}
	s.began <- struct{}{}
	<-s.free
}

// echo is a Handler that sends back what it gets.
type echo struct{ conn *Conn }

func (e echo) Readable() {
	buf := make([]byte, 64)
	n, _ := e.conn.TryRead(buf)
	_, _ = e.conn.TryWrite(buf[:n])
}

// TestHandlerThatWaits has more handlers that wait than there are processors. Whether they say so
// before or not, other connections are served.
func TestHandlerThatWaits(t *testing.T) {
	for name, yield := range map[string]bool{"with Yield": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			served, client := ends(t)
			if err := served.Start(echo{served}); err != nil {
				t.Fatal(err)
			}
			free := make(chan struct{})
			t.Cleanup(func() { close(free) })
			for range 20 {
				c, other := ends(t)
				s := &stuck{c, yield, make(chan struct{}, 1), free}
				if err := c.Start(s); err != nil {
					t.Fatal(err)
				}
				send(t, other, "stop")
				<-s.began
			}
			exchange(t, client)
		})
	}
}

// exchange sends something to an echo and waits for the answer.
func exchange(t *testing.T, client net.Conn) {
	t.Helper()
	_ = client.SetDeadline(time.Now().Add(20 * time.Second))
	send(t, client, "hello")
	if _, err := io.ReadFull(client, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
}

// TestYieldInTime says that Yield alone lets others go on: the watchdog does not ring.
func TestYieldInTime(t *testing.T) {
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	served, client := ends(t)
	if err := served.Start(echo{served}); err != nil {
		t.Fatal(err)
	}
	p.crew.armed.Store(true) // so that nothing arms it
	p.crew.watchdog.Stop()
	defer p.check()
	free := make(chan struct{})
	defer close(free)
	for range 20 {
		c, other := ends(t)
		s := &stuck{c, true, make(chan struct{}, 1), free}
		if err := c.Start(s); err != nil {
			t.Fatal(err)
		}
		send(t, other, "stop")
		<-s.began
		exchange(t, client)
	}
}

// TestHandlerAfterRelief says that a connection whose worker was relieved is served on, by one
// goroutine at a time.
func TestHandlerAfterRelief(t *testing.T) {
	t.Parallel()
	c, client := ends(t)
	h := &exclusive{conn: c}
	if err := c.Start(h); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		exchange(t, client)
	}
	if h.twice.Load() {
		t.Error("two goroutines called the handler at once")
	}
}

type exclusive struct {
	conn   *Conn
	inside atomic.Int32
	twice  atomic.Bool
}

func (e *exclusive) Readable() {
	if e.inside.Add(1) > 1 {
		e.twice.Store(true)
	}
	e.conn.Yield()
	echo{e.conn}.Readable()
	e.inside.Add(-1)
}

// TestCrewIsBounded says that the crew does not grow: it has at most one worker for each processor.
func TestCrewIsBounded(t *testing.T) {
	c := new(crew)
	for _, want := range []struct{ found, workers, wanted int }{{1, 1, 0}, {3, 1, 0}, {share, 1, 1}, {256, 2, 0}} {
		c.ready, c.workers = nil, make([]*worker, want.workers)
		got := c.polled(make([]*watch, want.found))
		if most := processors() - want.workers; max(got, 0) != min(want.wanted, most) {
			t.Errorf("%d connections, %d workers: %d more workers", want.found, want.workers, got)
		}
	}
}
