package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

func presenceList(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	a.enter("d", "é", "b", "B")
	b.show(&presence.Member{Key: "b2", Status: "x", Info: `{"y":[1]}`})
	b.enter("b")
	for _, n := range []*presenceNode{a, b} {
		n.lists(presence.Query{Limit: 10}, 5, "B", "b", `b2/x{"y":[1]}`, "d", "é")
		n.lists(presence.Query{}, 5)
	}
}

// The next page starts after a key, even if the member with that key has left.
func presencePages(e *presenceEnv) {
	n := e.attached()
	n.enter("a", "b", "c", "d", "e")
	n.lists(presence.Query{Limit: 2}, 5, "a", "b")
	n.leave("b")
	n.lists(presence.Query{After: "b", Limit: 2}, 4, "c", "d")
	n.lists(presence.Query{After: "d", Limit: 2}, 4, "e")
	n.lists(presence.Query{After: "e", Limit: 2}, 4)
	n.lists(presence.Query{After: "bb", Limit: 2}, 4, "c", "d")
	for after, want := range map[string]bool{"": true, "c": false, "d": false, "x": false} {
		if more := n.list(presence.Query{After: after, Limit: 2}).More; more != want {
			e.t.Errorf("more behind %q: %t", after, more)
		}
	}
}

func presenceManyAtOnce(e *presenceEnv) {
	const many = 1500
	n := e.attached()
	var keys []string
	for i := range many {
		keys = append(keys, fmt.Sprintf("u%04d", i))
	}
	n.enter(keys...)
	var got []string
	q := presence.Query{Limit: 400}
	for more := true; more; {
		page := n.list(q)
		got = append(got, listed(page)...)
		q.After, more = got[len(got)-1], page.More
	}
	if !slices.Equal(got, keys) {
		e.t.Errorf("pages have %d members", len(got))
	}
	n.leave(keys...)
	n.await(func(got []string) bool { return len(got) >= 2*many })
	if seen := n.events(); len(seen) != 2*many {
		e.t.Errorf("%d events", len(seen))
	}
	n.lists(presence.Query{Limit: 1, Offline: true}, 0)
}

// A room can be read by a node that is not attached to it.
func presenceListWithoutAttach(e *presenceEnv) {
	a, b := e.node(), e.node()
	b.lists(presence.Query{Limit: 10, Offline: true}, 0)
	a.enter("u", "v")
	a.leave("v")
	b.lists(presence.Query{Limit: 10}, 1, "u")
	if got := append(a.events(), b.events()...); len(got) > 0 {
		e.t.Errorf("events without being attached: %q", got)
	}
}

// Has reports on every node whether a member is present. It compares whole keys.
func presenceHas(e *presenceEnv) {
	a, b := e.attached(), e.node()
	a.enter("ann", "*", "d::")
	a.show(&presence.Member{Key: "gone", Remember: time.Hour})
	a.leave("gone")
	for _, n := range []*presenceNode{a, b} {
		for key, want := range map[string]bool{"ann": true, "*": true, "d::": true, "gone": false, "an": false, "a*": false, "Ann": false, "": false} {
			there, err := n.Has(e.t.Context(), e.channel, key, presence.Either)
			n.must(err)
			if there != want {
				e.t.Errorf("has %q: %t", key, there)
			}
		}
		if there, err := n.Has(e.t.Context(), e.channel+"2", "ann", presence.Either); err != nil || there {
			e.t.Errorf("another room has: %t, %v", there, err)
		}
	}
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	if _, err := a.Has(ctx, e.channel, "ann", presence.Either); !errors.Is(err, context.Canceled) {
		e.t.Errorf("has with a cancelled context: %v", err)
	}
}

// Has tells users and connections with the same key apart, whichever node holds them.
func presenceOwner(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	has := func(key string, user, connection bool) {
		e.t.Helper()
		for _, n := range []*presenceNode{a, b} {
			for as, want := range map[presence.Owner]bool{presence.User: user, presence.Connection: connection, presence.Either: user || connection} {
				there, err := n.Has(e.t.Context(), e.channel, key, as)
				n.must(err)
				if there != want {
					e.t.Errorf("has %q as %d: %t", key, as, there)
				}
			}
		}
	}
	x := func(o presence.Owner) *presence.Member {
		return &presence.Member{Key: "x", Status: "busy", Info: `{"n":1}`, Owner: o}
	}
	a.show(&presence.Member{Key: "ann", Owner: presence.User}, x(presence.Connection), &presence.Member{Key: "unknown"})
	has("ann", true, false)
	has("x", false, true)
	has("unknown", true, true)
	b.show(x(presence.User))
	has("x", true, true)
	a.show(x(presence.User))
	has("x", true, false)
	b.leave("x")
	a.show(x(presence.Connection))
	has("x", false, true)
	a.leave("x")
	has("x", false, false)
	for _, n := range []*presenceNode{a, b} {
		n.saw("+ann", `+x/busy{"n":1}`, "+unknown", `~x/busy{"n":1}`, `~x/busy{"n":1}`, `~x/busy{"n":1}`, "-x")
	}
}

// A query for offline members also lists a member that left, with the time when it was last
// seen.
func presenceOffline(e *presenceEnv) {
	n := e.attached()
	n.enter("a", "c")
	n.show(&presence.Member{Key: "b", Info: `{"x":1}`, Remember: time.Hour})
	left := time.Now()
	n.must(n.Leave(e.t.Context(), e.channel, []presence.Departure{{Key: "b", Ago: time.Minute}}))
	n.lists(presence.Query{Limit: 10}, 2, "a", "c")
	n.lists(presence.Query{Limit: 10, Offline: true}, 2, "a", `(b{"x":1})`, "c")
	n.lists(presence.Query{After: "a", Limit: 1, Offline: true}, 2, `(b{"x":1})`)
	seen := n.list(presence.Query{After: "a", Limit: 1, Offline: true}).Members[0].LastSeen
	// The clock is the store's, which need not be this machine's.
	if d := left.Add(-time.Minute).Sub(seen).Abs(); d > 30*time.Second {
		e.t.Errorf("last seen %v, which is off by %v", seen, d)
	}
}

func presenceNotRemembered(e *presenceEnv) {
	n := e.attached()
	n.show(&presence.Member{Key: "a", Remember: time.Hour})
	n.enter("a", "b")
	n.leave("a", "b")
	n.lists(presence.Query{Limit: 10, Offline: true}, 0)
}

// A member that is back is not offline any more, even if another node leaves with it.
func presenceBack(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	u := &presence.Member{Key: "u", Remember: time.Hour}
	a.show(u)
	a.leave("u")
	b.show(u)
	a.show(u)
	a.leave("u")
	a.leave("u")
	b.lists(presence.Query{Limit: 10, Offline: true}, 1, "u")
	b.leave("u")
	b.lists(presence.Query{Limit: 10, Offline: true}, 0, "(u)")
	a.saw("+u", "-u", "+u", "-u")
}

// A remembered member is forgotten after its time.
func presenceForgotten(e *presenceEnv) {
	n := e.attached()
	n.show(&presence.Member{Key: "a", Remember: 300 * time.Millisecond}, &presence.Member{Key: "b", Remember: time.Hour})
	n.leave("a", "b")
	over := time.After(patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for len(n.list(presence.Query{Limit: 10, Offline: true}).Members) > 1 {
		select {
		case <-again.C:
		case <-over:
			e.t.Fatal("still remembered")
		}
	}
	n.lists(presence.Query{Limit: 10, Offline: true}, 0, "(b)")
}
