package node

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/session"
)

// TestRequestsWaitForTheStart is about the moment in which Caddy listens already
// and the configuration is not in force yet: the first one, and one that follows it.
func TestRequestsWaitForTheStart(t *testing.T) {
	n := New(func() bool { return false })
	with := func() *Use {
		u := NewUse()
		u.Settings = new(Settings)
		return u
	}
	first, given, second := with(), with(), with()
	request := func(u *Use) <-chan *session.Registry {
		got := make(chan *session.Registry, 1)
		go func() {
			if !u.Wait(t.Context()) {
				got <- nil
				return
			}
			got <- n.Registry()
		}()
		return got
	}
	waits := func(got <-chan *session.Registry) {
		t.Helper()
		select {
		case <-got:
			t.Fatal("a request went on before its configuration was in force")
		case <-time.After(20 * time.Millisecond):
		}
	}
	early := request(first)
	waits(early)
	if n.Ready() {
		t.Error("a node is ready before the start")
	}
	if err := n.Apply(first); err != nil {
		t.Fatal(err)
	}
	if <-early == nil || n.now != first {
		t.Error("there is no hub after the start")
	}
	for _, next := range []*Use{given, second} {
		if err := n.Apply(next); err != nil {
			t.Fatal(err)
		}
		early = request(next)
		waits(early)
		if next == given {
			n.HandOver(given) // another app did not start
			if <-early != nil || n.now != first || n.next != nil {
				t.Error("a configuration that was given up is in force, or would be next")
			}
		}
	}
	if <-request(first) == nil {
		t.Error("the configuration in force answers nothing during a reload")
	}
	n.HandOver(first)
	n.HandOver(first)
	if <-early == nil || n.now != second || n.next != nil {
		t.Error("the next configuration is not in force")
	}
	if err := n.Destruct(); err != nil {
		t.Error(err)
	}
}
