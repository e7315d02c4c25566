package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// A Redis may reject writes, because it is full or because its access list lacks a command.
// Then the call fails, and no document and no history is lost.
func TestRefusedWriteLosesNothing(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]struct{ begin, end func(s *server) }{
		"full":            {(*server).fill, (*server).empty},
		"without XADD":    {without("xadd"), with("xadd")},
		"without HSET":    {without("hset"), with("hset")},
		"without PEXPIRE": {without("pexpire"), with("pexpire")},
		"without DEL":     {without("del"), with("del")},
		"without EVAL":    {without("evalsha", "eval"), with("evalsha", "eval")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			c := checker.New(checker.Options{})
			n, l := newNode(t, c, "node", patientOptions(s.Addr)), newLibrary(t, patientOptions(s.Addr))
			n.enter("room")
			n.publishAndRead("room", `"1"`)
			l.follow("doc")
			l.replace("doc", `{"kept":1}`)
			for i := range 70 { // more than the log holds behind a snapshot
				l.set("doc", "a", i)
			}
			before, page := l.read("doc"), n.history(t)

			state.begin(s)
			for i := range 5 {
				if name == "without PEXPIRE" || name == "without DEL" {
					break // a room and a document that exist do not need it
				}
				if out, err := l.propose("doc", document.Change{Latest: true}, "a", -1); !errors.Is(err, document.ErrUnavailable) {
					t.Fatalf("change %d: %+v, %v", i, out, err)
				}
				_, err := n.Publish(t.Context(), &hub.Message{Channel: "room", Content: []byte("1")}, hub.PublishOptions{Retention: kept, Key: fmt.Sprint(i)})
				if !errors.Is(err, hub.ErrUnavailable) {
					t.Fatalf("publish %d: %v", i, err)
				}
			}
			state.end(s)

			// Another node knows only what Redis has.
			if after := newLibrary(t, patientOptions(s.Addr)).read("doc"); after.Epoch != before.Epoch || after.Version != before.Version || string(after.State) != string(before.State) {
				t.Errorf("the document was %d %s and is %d %s", before.Version, before.State, after.Version, after.State)
			}
			if after := n.history(t); after.Top != page.Top || len(after.Messages) != len(page.Messages) {
				t.Errorf("the history was %v and is %v", page, after)
			}
			if out := l.set("doc", "a", 1000); out.Version != before.Version+1 {
				t.Errorf("afterwards a change leads to %d", out.Version)
			}
			n.publishAndRead("room", `"2"`)
			n.await(t, "it is delivered", func() bool { return n.last["room"].Offset == page.Top.Offset+1 })
			if report := c.Check(); !report.OK() || report.Gaps > 0 {
				t.Error(report)
			}
		})
	}
}

func (n *node) history(t *testing.T) hub.HistoryPage {
	t.Helper()
	page, err := n.History(t.Context(), "room", kept, hub.HistoryQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// fill writes more than Redis may have from then on. The memory of connections changes all the
// time, so a bound that is only just reached would not always be reached.
func (s *server) fill() {
	s.t.Helper()
	s.do("set", "filler", strings.Repeat("x", 4<<20))
	s.do("config", "set", "maxmemory", "4mb")
	if _, err := s.Try("set", "any", "thing"); err == nil || !strings.Contains(err.Error(), "OOM") {
		s.t.Fatalf("Redis is not full: %v", err)
	}
}

// empty makes space again.
func (s *server) empty() { s.do("config", "set", "maxmemory", "0") }

// without takes commands away from all users. with gives them back.
func without(commands ...string) func(*server) {
	return func(s *server) {
		for _, c := range commands {
			s.do("acl", "setuser", "default", "-"+c)
		}
	}
}

func with(commands ...string) func(*server) {
	return func(s *server) {
		for _, c := range commands {
			s.do("acl", "setuser", "default", "+"+c)
		}
	}
}

// The memory of a full Redis does not grow, whatever clients do. What does not make it grow
// goes on: reading, leaving, the leases of nodes, orders.
func TestFullRedisHolds(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := checker.New(checker.Options{})
	n, l, m := newNode(t, c, "node", patientOptions(s.Addr)), newLibrary(t, patientOptions(s.Addr)), newMembers(t, patientOptions(s.Addr))
	a, b := newServant(t, patientOptions(s.Addr), 1).awaitReady(t), newServant(t, patientOptions(s.Addr), 1).awaitReady(t)
	n.enter("room")
	n.publishAndRead("room", `"1"`)
	l.replace("doc", `{"a":1}`)
	for _, room := range []string{"room", "room:1"} {
		if err := m.Attach(t.Context(), room); err != nil {
			t.Fatal(err)
		}
		m.setMember(room, "ann", true)
		m.awaitMembers(room, "ann")
	}
	s.fill()
	keys := fmt.Sprint(s.do("dbsize"))

	big := strings.Repeat("x", 60<<10)
	for i := range 50 {
		channel := fmt.Sprint("new:", i)
		tree, _ := document.Parse([]byte(`{"a":"`+big+`"}`), document.Limits{})
		c := document.Change{Latest: true, Patch: document.Replacement(tree)}
		if _, err := l.Change(t.Context(), channel, c, document.Options{Limits: document.Limits{Root: true}}); !errors.Is(err, document.ErrUnavailable) {
			t.Fatalf("document %d: %v", i, err)
		}
		if snap, err := l.Read(t.Context(), channel, document.Options{}); err != nil || snap.Version != 0 {
			t.Fatalf("reading document %d, which is not there: %+v, %v", i, snap, err)
		}
		if _, err := n.Publish(t.Context(), &hub.Message{Channel: channel, Content: []byte(`"` + big + `"`)}, hub.PublishOptions{Retention: kept}); !errors.Is(err, hub.ErrUnavailable) {
			t.Fatalf("publish %d: %v", i, err)
		}
		if err := n.Attach(t.Context(), channel, kept); err != nil {
			t.Fatalf("attach %d: %v", i, err)
		}
		if err := m.Enter(t.Context(), channel, []*presence.Member{{Key: "bob"}}); err == nil {
			t.Fatalf("enter %d succeeds", i)
		}
	}
	if now := fmt.Sprint(s.do("dbsize")); now != keys {
		t.Errorf("there were %s keys, now %s: %v", keys, now, s.do("keys", "*new:*"))
	}
	if snap := l.read("doc"); string(snap.State) != `{"a":1}` {
		t.Errorf("read %+v", snap)
	}
	n.history(t)
	m.setMember("room", "ann", false)
	m.awaitMembers("room")
	a.give(t, hub.Order{Body: []byte("x"), Name: "x"}, hub.Answers{Nodes: 1, Ended: 1})
	a.Count(map[string]int{"ann": 1})
	b.awaitCount(t, "ann", 1)
	s.empty()
	l.set("new:1", "a", 1)
	n.publishAndRead("room", `"2"`)
}
