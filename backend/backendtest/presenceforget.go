package backendtest

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// presenceForget: a member is forgotten in every room that remembers it, and in no room where
// it is present. Nobody else is, however alike the keys look.
func presenceForget(e *presenceEnv) {
	a, b := e.attached(), e.node()
	f, ok := b.Store.(presence.Forgetter)
	if !ok {
		e.t.Skip("the store can not forget")
	}
	key := e.channel + `*[a-z]?\`
	others := []string{"x" + key, key + "x", e.channel + `zz`, e.channel + "*a??"}
	rooms := []string{e.channel, e.channel + "2", e.channel + "{3}"}
	remembered := func(key string) *presence.Member { return &presence.Member{Key: key, Remember: time.Hour} }
	for _, room := range rooms {
		for _, k := range append(others, key) {
			a.must(a.Enter(e.t.Context(), room, []*presence.Member{remembered(k)}))
			a.must(a.Leave(e.t.Context(), room, []presence.Departure{{Key: k}}))
		}
	}
	a.must(a.Enter(e.t.Context(), rooms[1], []*presence.Member{remembered(key)}))
	seen := len(a.events())
	for _, want := range []int{2, 0} {
		if n, err := f.Forget(e.t.Context(), key); n != want || err != nil {
			e.t.Errorf("forgotten in %d rooms, %v; want %d", n, err, want)
		}
	}
	for i, room := range rooms {
		page, err := b.List(e.t.Context(), room, presence.Query{Limit: 10, Offline: true})
		a.must(err)
		if want := len(others) + i%2; len(page.Members) != want || page.Count != i%2 {
			e.t.Errorf("room %d has %d of %d members, %d present", i, len(page.Members), want, page.Count)
		}
	}
	if n := len(a.events()); n != seen {
		e.t.Errorf("%d events", n-seen)
	}
	// A member that is forgotten can be remembered again.
	a.must(a.Leave(e.t.Context(), rooms[1], []presence.Departure{{Key: key}}))
	if n, err := f.Forget(e.t.Context(), key); n != 1 || err != nil {
		e.t.Errorf("forgotten again in %d rooms, %v", n, err)
	}
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	if _, err := f.Forget(ctx, key); !errors.Is(err, context.Canceled) {
		e.t.Errorf("forget with a cancelled context: %v", err)
	}
}
