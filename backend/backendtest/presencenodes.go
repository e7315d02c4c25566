package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

func presenceEnter(e *presenceEnv) {
	n := e.attached()
	n.enter("a", "b")
	n.enter("a")
	n.show(&presence.Member{Key: "c", Status: "busy", Info: `{"x":1}`})
	n.saw("+a", "+b", `+c/busy{"x":1}`)
}

func presenceUpdate(e *presenceEnv) {
	n := e.attached()
	n.enter("a")
	n.show(&presence.Member{Key: "a", Status: presence.Away})
	n.show(&presence.Member{Key: "a", Status: presence.Away})
	n.show(&presence.Member{Key: "a", Info: `{"x":1}`})
	n.enter("a")
	n.saw("+a", "~a/away", `~a{"x":1}`, "~a")
}

func presenceLeave(e *presenceEnv) {
	n := e.attached()
	n.leave("a")
	n.enter("a", "b")
	n.leave("a", "c")
	n.leave("a")
	n.enter("a")
	n.leave("b", "a")
	n.saw("+a", "+b", "-a", "+a", "-b", "-a")
	n.lists(presence.Query{Limit: 10}, 0)
}

func presenceRoomsApart(e *presenceEnv) {
	n := e.attached()
	other := e.channel + ":other"
	n.must(n.Enter(e.t.Context(), other, []*presence.Member{{Key: "a"}, {Key: "b"}}))
	n.enter("b")
	n.must(n.Leave(e.t.Context(), other, []presence.Departure{{Key: "b"}}))
	n.saw("+b")
	n.lists(presence.Query{Limit: 10}, 1, "b")
}

func presenceCancelled(e *presenceEnv) {
	n := e.attached()
	n.enter("b")
	ctx, cancel := context.WithCancel(e.t.Context())
	cancel()
	_, listing := n.List(ctx, e.channel, presence.Query{Limit: 1})
	for what, err := range map[string]error{
		"Enter":  n.Enter(ctx, e.channel, []*presence.Member{{Key: "a"}}),
		"Leave":  n.Leave(ctx, e.channel, []presence.Departure{{Key: "b"}}),
		"Attach": n.Attach(ctx, e.channel),
		"List":   listing,
	} {
		if !errors.Is(err, context.Canceled) {
			e.t.Errorf("%s: %v", what, err)
		}
	}
	n.saw("+b")
}

// A member is in the room as long as any node holds it.
func presenceTwoNodes(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	a.enter("u", "v")
	b.enter("u")
	a.leave("u")
	a.leave("u", "v")
	b.leave("v")
	b.lists(presence.Query{Limit: 10}, 1, "u")
	b.leave("u")
	a.enter("u")
	for _, n := range []*presenceNode{a, b} {
		n.saw("+u", "+v", "-v", "-u", "+u")
	}
}

// If a member has several statuses on several nodes, the highest counts, and of equal ones
// the latest. A node's status goes when the node leaves.
func presenceStatus(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	say := func(n *presenceNode, status string) { n.show(&presence.Member{Key: "u", Status: status}) }
	say(a, presence.Away)
	say(b, presence.Away)
	say(b, "")
	say(a, presence.Away)
	say(a, "busy")
	say(b, "")
	say(b, "in a call")
	say(a, "lunch")
	say(b, presence.Away)
	say(a, presence.Away)
	say(b, "busy")
	b.leave("u")
	want := []string{"+u/away", "~u", "~u/busy", "~u/in a call", "~u/lunch", "~u/away", "~u/busy", "~u/away"}
	for _, n := range []*presenceNode{a, b} {
		n.saw(want...)
	}
	a.lists(presence.Query{Limit: 10}, 1, "u/away")
}

// If a member has several infos, the latest that is not empty counts.
func presenceInfo(e *presenceEnv) {
	a, b := e.attached(), e.attached()
	a.show(&presence.Member{Key: "u", Info: `{"n":1}`})
	b.show(&presence.Member{Key: "u"})
	b.show(&presence.Member{Key: "u", Info: `{"n":2}`, Status: presence.Away})
	a.leave("u")
	a.show(&presence.Member{Key: "u", Info: `{"n":3}`})
	b.show(&presence.Member{Key: "u"})
	a.leave("u")
	for _, n := range []*presenceNode{a, b} {
		n.saw(`+u{"n":1}`, `~u{"n":2}`, `~u/away{"n":2}`, `~u{"n":3}`, "~u")
	}
}

// Nodes enter and leave with the same members at once. All see the same events in the same
// order.
func presenceConcurrently(e *presenceEnv) {
	nodes := []*presenceNode{e.attached(), e.attached(), e.attached()}
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for k := range 100 {
				key := fmt.Sprint("u", k%(i+3))
				err := n.Enter(e.t.Context(), e.channel, []*presence.Member{{Key: key, Status: fmt.Sprint(k % 2)}})
				if err == nil {
					err = n.Leave(e.t.Context(), e.channel, []presence.Departure{{Key: key}})
				}
				if err != nil {
					e.t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	nodes[0].enter("end")
	var want []string
	for i, n := range nodes {
		n.await(func(got []string) bool { return slices.Contains(got, "+end") })
		if got := n.events(); i == 0 {
			want = got
		} else if !slices.Equal(got, want) {
			e.t.Errorf("node %d saw another order", i)
		}
	}
	nodes[1].lists(presence.Query{Limit: 10}, 1, "end")
}
