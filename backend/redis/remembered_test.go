package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// newBoundedNode returns a node with bounds for the members who left any room.
func newBoundedNode(t *testing.T, s *server, most, bytes int) *memberNode {
	t.Helper()
	n := newMembers(t, Options{Address: s.Addr})
	p := n.Store.(*Presence)
	p.maxLeft, p.maxLeftBytes = most, bytes
	return n
}

// enterAndLeave makes a member enter a room and leave it at once.
func (n *memberNode) enterAndLeave(channel string, m presence.Member) {
	n.t.Helper()
	if err := n.Enter(n.t.Context(), channel, []*presence.Member{&m}); err != nil {
		n.t.Fatal(err)
	}
	if err := n.Leave(n.t.Context(), channel, []presence.Departure{{Key: m.Key}}); err != nil {
		n.t.Fatal(err)
	}
}

// remembered returns how many members of a room are offline.
func (n *memberNode) remembered(channel string) int {
	n.t.Helper()
	page, err := n.List(n.t.Context(), channel, presence.Query{Limit: listLimit, Offline: true})
	if err != nil {
		n.t.Fatal(err)
	}
	return len(page.Members) - page.Count
}

// The members who left are bounded in number and in bytes, in all rooms together. Those who
// left first are forgotten first, however long they should be remembered.
func TestRememberedOfAllRoomsAreBounded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what        string
		most, bytes int
		info        string
		stay        int
	}{
		{"many", 20, 1 << 20, "", 20},
		{"large", 1000, 50_000, strings.Repeat("x", 4000), 9},
	} {
		s := startServer(t)
		n := newBoundedNode(t, s, test.most, test.bytes)
		const rooms = 60
		for i := range rooms {
			m := presence.Member{Key: "u", Info: test.info, Remember: time.Hour - time.Duration(i)*time.Second}
			n.enterAndLeave(fmt.Sprint("room:", i), m)
			time.Sleep(2 * time.Millisecond) // by Redis's clock they left one after the other
		}
		for i := range rooms {
			want := 0
			if i >= rooms-test.stay {
				want = 1
			}
			if got := n.remembered(fmt.Sprint("room:", i)); got != want {
				t.Errorf("%s: %d are remembered in room %d, want %d", test.what, got, i, want)
			}
		}
		if left := s.do("zcard", "rt:remembered"); left != int64(test.stay) {
			t.Errorf("%s: %v are in the index", test.what, left)
		}
		for i := range rooms {
			n.setMember(fmt.Sprint("room:", i), "u", true)
		}
		if left := s.do("exists", "rt:remembered", "rt:remembered:ends"); left != int64(0) {
			t.Errorf("%s: all are back, and %v keys are left", test.what, left)
		}
		if bytes := s.do("hget", "rt:remembered:books", "bytes"); bytes != nil && bytes != "0" {
			t.Errorf("%s: all are back, and they take %v bytes", test.what, bytes)
		}
	}
}

// A member whose time is over does not count, and no other member who has come and left again
// is forgotten for it.
func TestForgottenInTime(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newBoundedNode(t, s, 10, 1<<20)
	n.enterAndLeave("long", presence.Member{Key: "u", Remember: time.Hour})
	for i := range 9 {
		n.enterAndLeave(fmt.Sprint("short:", i), presence.Member{Key: "u", Remember: 100 * time.Millisecond})
	}
	n.enterAndLeave("again", presence.Member{Key: "u", Info: "one", Remember: 100 * time.Millisecond})
	time.Sleep(200 * time.Millisecond)
	n.enterAndLeave("again", presence.Member{Key: "u", Info: "two and more", Remember: time.Hour})
	for i := range 7 {
		n.enterAndLeave(fmt.Sprint("other:", i), presence.Member{Key: "u", Remember: time.Hour})
	}
	for _, channel := range []string{"again", "other:0", "other:6"} {
		if n.remembered(channel) != 1 {
			t.Errorf("nobody is remembered in %s", channel)
		}
	}
	if left := s.do("zcard", "rt:remembered"); left != int64(8) {
		t.Errorf("%v are in the index, want 8", left)
	}
}

// Redis uses no more memory for members who left than is counted.
func TestRememberedBytesAreTrue(t *testing.T) {
	t.Parallel()
	for _, info := range []string{"", strings.Repeat("x", 1000)} {
		s := startServer(t)
		n := newBoundedNode(t, s, 100_000, 64<<20)
		before := s.usedMemory()
		const rooms = 3000
		for i := range rooms {
			n.enterAndLeave(fmt.Sprintf("room:%020d", i), presence.Member{Key: fmt.Sprintf("user-%020d", i), Info: info, Remember: time.Hour})
		}
		// This leaves out what is kept for some seconds.
		s.doAll("del", "rt:px:*", "rt:pn:*")
		used := (s.usedMemory() - before) / rooms
		var counted int64
		if _, err := fmt.Sscan(fmt.Sprint(s.do("hget", "rt:remembered:books", "bytes")), &counted); err != nil {
			t.Fatal(err)
		}
		counted /= rooms
		t.Logf("%d bytes of Redis for one who left with %d bytes, counted as %d", used, len(info), counted)
		if used > counted*5/4 || used < counted/2 {
			t.Errorf("%d bytes of Redis for one who left with %d bytes, counted as %d", used, len(info), counted)
		}
	}
}

// doAll runs a command with all keys of some patterns.
func (s *server) doAll(command string, patterns ...string) {
	s.t.Helper()
	for _, pattern := range patterns {
		for _, key := range texts(s.do("keys", pattern)) {
			s.do(command, key)
		}
	}
}

// Little is left of a room that had a member for a moment, and only for seconds.
func TestEmptyRoomsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr})
	for i := range 50 {
		n.enterAndLeave(fmt.Sprint("room:", i), presence.Member{Key: "u"})
	}
	for _, key := range texts(s.do("keys", "*{room:*")) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key, "rt:"), ":")
		if ttl := s.do("pttl", key).(int64); kind != "pn" && kind != "px" || ttl <= 0 || ttl > 30_000 {
			t.Errorf("%s is left, for %d ms", key, ttl)
		}
	}
}

// The numbers of a room's events go on, also when nothing is left of the room.
func TestEventsOfARoomThatWasEmpty(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr})
	if err := n.Attach(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	n.setMember("room", "a", true)
	eventually(t, "it is told", func() bool { entered, _ := n.seen(); return entered == 1 })
	s.do("del", "rt:pn:{room}")
	n.setMember("room", "a", false)
	eventually(t, "the node is told that it may have missed something", func() bool {
		n.presenceChecker.mu.Lock()
		defer n.presenceChecker.mu.Unlock()
		return n.missed == 1
	})
}

// A script arrives when Redis no longer knows the latest one of its room. Redis rejects it,
// because the node has said that it waits for no such script.
func TestVeryLateScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newMembers(t, Options{Address: s.Addr})
	p := n.Store.(*Presence)
	n.setMember("room", "b", true)
	name, _ := p.currentName()
	late := p.changeCall(enterMembersScript, "room", name, enterArgs([]*presence.Member{{Key: "a"}}))
	lease := func() {
		t.Helper()
		if _, _, _, err := p.renewLease(t.Context(), name, false); err != nil {
			t.Fatal(err)
		}
	}
	lease()
	if from := fmt.Sprint(s.do("hget", p.c.names.steps(), name+":from")); from != fmt.Sprint(late.args[3]) {
		t.Errorf("while number %v is under way, the node waits from %s on", late.args[3], from)
	}
	p.scripts.done(late)
	lease()
	s.do("del", p.c.names.latest("room", name))
	if _, err := p.run(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	n.awaitMembers("room", "b")
	n.setMember("room", "c", true)
	n.awaitMembers("room", "b", "c")
}
