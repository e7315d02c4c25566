package redis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/faultproxy"
)

// forwards sends a request until it is carried out, as a node may not listen yet.
func (s *executorStub) forwards(t *testing.T, to *executorStub, request string) {
	t.Helper()
	want := to.Node() + " did " + request
	eventually(t, want, func() bool {
		got, err := s.Forward(t.Context(), to.Node(), []byte(request))
		if err == nil && string(got) != want {
			t.Errorf("the reply is %q, want %q", got, want)
		}
		return err == nil
	})
}

func (s *executorStub) fails(t *testing.T, node, request string, within time.Duration) {
	t.Helper()
	start := time.Now()
	if got, err := s.Forward(t.Context(), node, []byte(request)); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("%s answers %.40q to %.40q, %v", node, got, request, err)
	}
	if took := time.Since(start); took > within {
		t.Errorf("%.40q for %s took %v", request, node, took)
	}
}

// Only the named node gets a request, and only the node that sent it gets the reply.
func TestForward(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	p := faultproxy.Start(t, r.Addr)
	a, b, c := newServant(t, quickOptions(r.Addr), 0).awaitReady(t), newServant(t, quickOptions(r.Addr), 0).awaitReady(t), newServant(t, quickOptions(p.Addr()), 0).awaitReady(t)
	odd := ":x:{}\x00\xff" + strings.Repeat("y", maxQuestion-20)
	a.forwards(t, b, odd)
	b.forwards(t, a, "z")
	a.forwards(t, c, "z")
	a.fails(t, "nobody", "z", replyTime)
	a.fails(t, a.Node(), "z", 2*replyTime) // not to itself
	b.plain = true
	a.fails(t, b.Node(), "strange", replyTime) // at once
	if _, err := a.Forward(t.Context(), b.Node(), make([]byte, maxQuestion+1)); err == nil {
		t.Error("too long, and sent")
	}
	p.Away()
	c.fails(t, a.Node(), "z", patience)
	p.Heal()
	c.forwards(t, a, "again")
	a.forwards(t, c, "again")
	c.Close()
	eventually(t, "the node that has closed does not listen", func() bool {
		_, err := a.Forward(t.Context(), c.Node(), []byte("z"))
		return errors.Is(err, hub.ErrUnavailable)
	})
}

// Requests leave nothing in Redis: orders of the app keep their place.
func TestForwardLeavesNothing(t *testing.T) {
	t.Parallel()
	r := startServer(t)
	a, b := newServant(t, quickOptions(r.Addr), 0).awaitReady(t), newServant(t, quickOptions(r.Addr), 1).awaitReady(t)
	a.forwards(t, b, "first")
	before := texts(r.do("keys", "*"))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() { a.forwards(t, b, fmt.Sprint(i)) })
	}
	wg.Wait()
	after := texts(r.do("keys", "*"))
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		t.Errorf("before %q, after %q", before, after)
	}
	a.questions.mu.Lock()
	defer a.questions.mu.Unlock()
	if n := len(a.questions.open); n > 0 {
		t.Errorf("%d requests are still open", n)
	}
}
