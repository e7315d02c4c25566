package session

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// crowd is a control that counts users, of whom other nodes have some.
type crowd struct {
	cable
	elsewhere map[string]int
	fails     error
	asked     int
	here      map[string]int // nil: nothing is counted
}

func (c *crowd) Elsewhere(_ context.Context, user string) (int, error) {
	c.asked++
	return c.elsewhere[user], c.fails
}

func (c *crowd) Here(user string, n int) {
	if c.here[user] = n; n == 0 {
		delete(c.here, user)
	}
}

func (c *crowd) Count(all map[string]int) { c.here = all }

func TestUsersAreCountedOverNodes(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := &crowd{elsewhere: map[string]int{"ann": 2}}
		w.registry.WithControl(func(hub.Executor) Control { return c }).Informed()
		limited := w.config
		limited.Limits.ConnectionsPerUser = 3
		may := func(user string, want protocol.Code) {
			t.Helper()
			if e := w.registry.Admission.Admit(t.Context(), named(user)); codeOf(e) != want {
				t.Errorf("%q: %v, want %q", user, e, want)
			}
		}
		here := func(want map[string]int) {
			t.Helper()
			if !maps.Equal(c.here, want) {
				t.Errorf("counted %v, want %v", c.here, want)
			}
		}

		early := w.connect("ann")
		may("ann", "")
		if c.asked > 0 || c.here != nil {
			t.Error("users are counted without a limit")
		}
		w.apply(limited)
		here(map[string]int{"ann": 1})
		may("ann", protocol.LimitExceeded)
		may("bob", "")
		may("", "")
		if c.asked != 2 {
			t.Errorf("asked %d times", c.asked)
		}
		c.fails = errors.New("away")
		may("ann", "")
		c.fails = nil

		for range 3 {
			w.connect("bob")
		}
		asked := c.asked
		may("bob", protocol.LimitExceeded)
		if c.asked != asked {
			t.Error("other nodes were asked about what this one knows")
		}
		here(map[string]int{"ann": 1, "bob": 3})

		guest := w.arrive(&Principal{})
		p := w.tokenPeer(claims("ann"))
		if e := guest.become(guest.who(), p); codeOf(e) != protocol.LimitExceeded {
			t.Errorf("authenticated: %v", e)
		}
		c.elsewhere["ann"] = 1
		if e := guest.become(guest.who(), p); e != nil {
			t.Error(e)
		}
		here(map[string]int{"ann": 2, "bob": 3})
		early.Conn().Close(hub.ReasonNormal)
		early.hears(`{"close":1000}`)
		here(map[string]int{"ann": 1, "bob": 3})
		limited.Limits.ConnectionsPerUser = 0
		w.apply(limited)
		here(nil)
		w.connect("ann")
	})
}
