package hub

import (
	"fmt"
	"testing"
)

// A trail forgets what the client has answered a ping behind, and what is too much. It never says more than
// it knows.
func TestTrail(t *testing.T) {
	at := func(epoch string, offset uint64) *Position { return &Position{Epoch: epoch, Offset: offset} }
	room := func(name, group string) *track {
		return &track{channel: name, group: group, start: *at(name, 0), base: *at(name, 0)}
	}
	a, b, c := room("a", "1"), room("b", "1"), room("c", "2")
	tr := new(trail)
	end := func() *Trail {
		return &Trail{rooms: []*track{a, b, c}, runs: tr.runs, edges: tr.edges, broken: tr.broken}
	}
	check := func(what, group string, last *Position, want string) {
		t.Helper()
		got := "no"
		if all, ok := end().After(group, last); ok {
			got = ""
			for _, s := range all {
				got += fmt.Sprint(s.Channel, s.Position.Offset, " ")
			}
		}
		if got != want {
			t.Errorf("%s: %q, not %q", what, got, want)
		}
	}
	check("nothing was sent", "1", nil, "a0 b0 ")
	for i, k := range []*track{a, a, b, c, a, b} {
		tr.note(k, Position{Epoch: k.channel, Offset: k.noted + 1, Anchor: uint32(i)})
	}
	check("nothing arrived", "1", nil, "a0 b0 ")
	check("in the first run", "1", at("a", 1), "a1 b0 ")
	check("at a run of one", "1", at("b", 1), "a2 b1 ")
	check("at the end", "1", at("b", 2), "a3 b2 ")
	check("another group", "2", at("c", 1), "c1 ")
	check("not sent", "1", at("a", 4), "no")
	check("a room of another group", "1", at("c", 1), "no")
	tr.mark(false)
	check("no ping was answered", "1", at("a", 1), "a1 b0 ")
	tr.note(b, Position{Epoch: "b", Offset: 3})
	tr.mark(true)
	check("within what was dropped", "1", at("a", 3), "no")
	check("the last that was dropped", "1", at("b", 2), "a3 b2 ")
	check("the last of another group", "2", at("c", 1), "c1 ")
	check("nothing, against what was answered", "1", nil, "no")
	check("behind the ping", "1", at("b", 3), "a3 b3 ")
	for range maxTrail {
		for _, k := range []*track{a, b} {
			tr.note(k, Position{Epoch: k.channel, Offset: k.noted + 1})
		}
	}
	if len(tr.runs) > maxTrail {
		t.Errorf("%d runs", len(tr.runs))
	}
	check("too long ago", "1", at("b", 3), "no")
	check("the newest", "1", at("b", b.noted), fmt.Sprint("a", a.noted, " b", b.noted, " "))
	tr.note(a, Position{Epoch: "other", Offset: 1})
	check("another log", "1", at("b", b.noted), "no")
}
