package presence

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A member counts as entered from the moment at which it enters, and no longer once it has left.
func TestEntered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		here, there := newSite(t, c, grace), newSite(t, c, grace)
		want := func(when string, want int) {
			t.Helper()
			if n := here.Entered("r"); n != want {
				t.Errorf("%s: %d members, want %d", when, n, want)
			}
		}
		want("nobody", 0)
		ann := here.enter("r", "ann", "1", Change{}, nil)
		want("at once", 1)
		if n, _ := here.Count("r"); n != 0 {
			t.Errorf("%d members are announced already, and the test shows nothing", n)
		}
		there.enter("r", "bob", "2", Change{}, nil)
		pass(time.Second)
		want("with another node", 2)
		here.enter("r", "cleo", "3", Change{}, nil).Leave()
		want("entered and left", 2)
		here.enter("r", "ann", "4", Change{}, nil)
		want("a second connection", 2)
		ann.Leave()
		want("the first connection has left", 2)
	})
}

// The figures of a node: what it knows of its rooms, and who is here.
func TestCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		here, there := newSite(t, c, grace), newSite(t, c, grace)
		if n, known := here.Count("r"); n != 0 || known {
			t.Errorf("a room without anybody has %d members, known: %t", n, known)
		}
		ann := here.enter("r", "ann", "1", Change{}, nil)
		here.enter("other", "ann", "2", Change{}, nil)
		there.enter("r", "bob", "3", Change{}, nil)
		here.watch("r")
		pass(time.Second)
		if n, known := here.Count("r"); n != 2 || !known {
			t.Errorf("%d members, known: %t", n, known)
		}
		if rooms, members := here.Rooms(); rooms != 2 || members != 3 {
			t.Errorf("%d rooms with %d members", rooms, members)
		}
		if got := here.Stats(); got != (Stats{Rooms: 2, Members: 2}) {
			t.Errorf("%+v", got)
		}
		ann.Lose()
		pass(time.Second)
		if got := here.Stats(); got.Members != 2 {
			t.Errorf("%+v within the grace", got)
		}
		pass(time.Minute)
		if got := here.Stats(); got != (Stats{Rooms: 2, Members: 1}) {
			t.Errorf("%+v after the grace", got)
		}
	})
}

// While the store fails, this node answers with the members that it has seen, page by page.
func TestMembersWithoutTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, newCluster(), Options{})
		for _, user := range []string{"ann", "bob", "cleo"} {
			s.enter("r", user, user, Change{}, nil)
		}
		pass(time.Second)
		away := errors.New("away")
		s.node.set(func(n *node) { n.err = away })
		for _, test := range []struct {
			q    Query
			want string
		}{
			{Query{}, "[] of 3, more: true"},
			{Query{Limit: 2}, "[ann bob] of 3, more: true"},
			{Query{Limit: 2, After: "bob"}, "[cleo] of 3, more: false"},
			{Query{Limit: 3}, "[ann bob cleo] of 3, more: false"},
		} {
			page, err := s.Members(t.Context(), "r", test.q)
			var keys []string
			for _, m := range page.Members {
				keys = append(keys, m.Key)
			}
			if got := fmt.Sprintf("%v of %d, more: %t", keys, page.Count, page.More); err != nil || got != test.want || !page.Partial {
				t.Errorf("%+v: %s, partial: %t, %v; want %s", test.q, got, page.Partial, err, test.want)
			}
		}
		if _, err := s.Members(t.Context(), "elsewhere", Query{}); !errors.Is(err, away) {
			t.Errorf("a room that nobody here is in: %v", err)
		}
	})
}

// A room that is larger than a page of the store is read to its end.
func TestReadAll(t *testing.T) {
	t.Parallel()
	c := newCluster()
	n := c.join(nil)
	for _, size := range []int{0, 1, pageSize, pageSize + 1, 2*pageSize + 1} {
		channel := fmt.Sprint(size)
		c.rooms[channel] = make(map[string]*held)
		for i := range size {
			key := fmt.Sprintf("%05d", i)
			c.rooms[channel][key] = &held{shown: &Member{Key: key}}
		}
		all, err := readAll(t.Context(), n, channel)
		if err != nil || len(all) != size {
			t.Fatalf("%d of %d members, %v", len(all), size, err)
		}
		for i, m := range all {
			if m.Key != fmt.Sprintf("%05d", i) {
				t.Fatalf("member %d of %d is %s", i, size, m.Key)
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	if DefaultGrace != 5*time.Second || DefaultRemember != 5*time.Minute {
		t.Errorf("the defaults of the configuration: %v, %v", DefaultGrace, DefaultRemember)
	}
	for snapshot, want := range map[int]int{-1: DefaultSnapshot, 0: DefaultSnapshot, 1: 1, 7: 7} {
		if got := (Options{Snapshot: snapshot}).limit(); got != want {
			t.Errorf("snapshot %d: %d members", snapshot, got)
		}
	}
}

func TestStatusOfAMember(t *testing.T) {
	t.Parallel()
	long := make([]byte, MaxStatus)
	for i := range long {
		long[i] = 's'
	}
	for status, want := range map[string]string{Online: "", "away": "away", string(long): string(long)} {
		if got, err := parseStatus(status); err != nil || got != want {
			t.Errorf("%q: %q, %v", status, got, err)
		}
	}
	for _, status := range []string{"", Offline, string(long) + "s", " away", "away ", "a\nb", "\xff"} {
		if got, err := parseStatus(status); !errors.Is(err, ErrStatus) {
			t.Errorf("%q: %q, %v", status, got, err)
		}
	}
}
