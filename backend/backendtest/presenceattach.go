package backendtest

import (
	"errors"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// An event after Attach returned arrives; no waiting is needed.
func presenceAttach(e *presenceEnv) {
	other := e.node()
	for range 20 {
		n := e.attached()
		other.enter("u")
		other.leave("u")
		if !n.await(func(got []string) bool { return slices.Contains(got, "-u") }) {
			e.t.Fatalf("got %q", n.events())
		}
		if got := n.events(); got[0] != "+u" {
			e.t.Fatalf("got %q", got)
		}
		n.Detach(e.channel)
	}
}

// After Detach no event has to arrive. After the next Attach every event does.
func presenceDetach(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	a.enter("u")
	b.saw("+u")
	b.Detach(e.channel)
	a.enter("v")
	a.saw("+u", "+v") // to all who are attached
	b.must(b.Attach(e.t.Context(), e.channel))
	b.lists(presence.Query{Limit: 10}, 2, "u", "v")
	a.leave("v")
	if !b.await(func(got []string) bool { return slices.Contains(got, "-v") }) {
		e.t.Errorf("got %q", b.events())
	}
}

func presenceClose(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	a.enter("u", "v")
	b.enter("v")
	b.must(a.Close())
	b.must(a.Close())
	_, listing := a.List(e.t.Context(), e.channel, presence.Query{Limit: 1})
	for what, err := range map[string]error{
		"Enter":  a.Enter(e.t.Context(), e.channel, []*presence.Member{{Key: "w"}}),
		"Leave":  a.Leave(e.t.Context(), e.channel, []presence.Departure{{Key: "v"}}),
		"Attach": a.Attach(e.t.Context(), e.channel),
		"List":   listing,
	} {
		if !errors.Is(err, presence.ErrClosed) {
			e.t.Errorf("%s after Close: %v", what, err)
		}
	}
	a.Detach(e.channel)
	b.await(func(got []string) bool { return slices.Contains(got, "-u") })
	b.saw("+u", "+v", "-u")
	b.lists(presence.Query{Limit: 10}, 1, "v")
}
