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
	tr.note(b, Position{Epoch: "b", Offset: 4})
	tr.note(b, Position{Epoch: "b", Offset: 5})
	tr.mark(false)
	tr.mark(true)
	check("the first of several that were dropped together", "1", at("b", 4), "a3 b4 ")
	check("the last of them", "1", at("b", 5), "a3 b5 ")
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

// A trail that is just full drops nothing. One entry more drops the oldest quarter. A ping marks what was sent before
// it, also when the oldest entries are dropped.
func TestTrailIsFilledToItsBound(t *testing.T) {
	a, b := &track{channel: "a", group: "1", start: Position{Epoch: "a"}}, &track{channel: "b", group: "1", start: Position{Epoch: "b"}}
	a.start.Offset, b.start.Offset = 1, 1
	a.noted, b.noted = 1, 1
	tr := new(trail)
	add := func(n int) {
		for range n {
			k := a
			if len(tr.runs) > 0 && tr.runs[len(tr.runs)-1].track == a {
				k = b
			}
			tr.note(k, Position{Epoch: k.channel, Offset: k.noted + 1})
		}
	}
	add(maxTrail - 10)
	tr.mark(false)
	add(10)
	if len(tr.runs) != maxTrail || len(tr.edges) != 0 {
		t.Errorf("%d runs, %d edges", len(tr.runs), len(tr.edges))
	}
	add(1)
	if len(tr.runs) != maxTrail+1-maxTrail/4 || len(tr.edges) != 1 || tr.marked != maxTrail-10-maxTrail/4 {
		t.Errorf("%d runs, %d edges, %d marked", len(tr.runs), len(tr.edges), tr.marked)
	}
	n := len(tr.runs)
	tr.note(a, Position{Epoch: "a", Offset: a.noted}) // it has that one
	if len(tr.runs) != n {
		t.Error("a message is noted twice")
	}
	tr.mark(true)
	if len(tr.runs) != 11 || tr.marked != 11 {
		t.Errorf("%d runs behind the ping, %d marked", len(tr.runs), tr.marked)
	}
}

// A client that was sent nothing may name a message from before the connection, of the same log and group.
func TestTrailFromBefore(t *testing.T) {
	k := &track{channel: "a", group: "1", start: Position{Epoch: "a", Offset: 5}, base: Position{Epoch: "a", Offset: 5}}
	end := &Trail{rooms: []*track{k}}
	for name, c := range map[string]struct {
		group string
		last  Position
		ok    bool
	}{
		"before":        {"1", Position{Epoch: "a", Offset: 4}, true},
		"just there":    {"1", Position{Epoch: "a", Offset: 5}, true},
		"behind":        {"1", Position{Epoch: "a", Offset: 6}, false},
		"another log":   {"1", Position{Epoch: "b", Offset: 4}, false},
		"another group": {"2", Position{Epoch: "a", Offset: 4}, false},
	} {
		if all, ok := end.After(c.group, &c.last); ok != c.ok || ok && (len(all) != 1 || all[0].Position.Offset != 5) {
			t.Errorf("%s: %v, %v", name, all, ok)
		}
	}
}

// A room counts for an entry, as the last dropped run of a group does. Of the other runs eight count for one, and
// a part of eight as well.
func TestSizeOfATrail(t *testing.T) {
	edges := map[string]run{"1": {}, "2": {}}
	for _, c := range []struct{ rooms, edges, runs, want int }{
		{0, 0, 0, 0}, {3, 0, 0, 3}, {3, 2, 0, 5}, {0, 0, 1, 1}, {0, 0, 7, 1}, {0, 0, 8, 1}, {0, 0, 9, 2}, {3, 2, 17, 8},
	} {
		end := &Trail{rooms: make([]*track, c.rooms), runs: make([]run, c.runs)}
		if c.edges > 0 {
			end.edges = edges
		}
		if got := end.Size(); got != c.want {
			t.Errorf("%d rooms, %d edges and %d runs: %d entries, want %d", c.rooms, c.edges, c.runs, got, c.want)
		}
	}
}
