package presence

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// shown lists members with what they show, sorted.
func shown(ms iter.Seq[*Member]) (out []string) {
	for m := range ms {
		s := m.Key
		if m.Status != "" {
			s += "/" + m.Status
		}
		out = append(out, s+m.Info)
	}
	slices.Sort(out)
	return out
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// inRoom runs a test on one node with fake time. The frames of the room "r" are
// kept, and somebody watches it.
func inRoom(t *testing.T, o Options, f func(t *testing.T, s *site, w *watcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, newCluster(), o)
		w := s.watch("r")
		pass(0)
		s.keep = true
		f(t, s, w)
		pass(time.Minute)
	})
}

var grace = Options{Grace: 5 * time.Second}

func TestThreeTabs(t *testing.T) {
	t.Parallel()
	inRoom(t, grace, func(t *testing.T, s *site, _ *watcher) {
		var tabs []*Stay
		for _, id := range []string{"1", "2", "3"} {
			tabs = append(tabs, s.enter("r", "ann", id, Change{}, nil))
			pass(time.Second)
		}
		expect(t, "three tabs", s.taken("r"), "+ann (1)")
		tabs[0].Leave()
		tabs[1].Lose()
		pass(time.Minute)
		expect(t, "two gone", s.taken("r"))
		tabs[2].Lose()
		pass(5 * time.Second)
		expect(t, "in its grace", s.taken("r"))
		pass(time.Second)
		expect(t, "over", s.taken("r"), "-ann (0)")
	})
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(*Stay)
		away time.Duration
		want []string
	}{
		"within the grace":    {(*Stay).Lose, 4900 * time.Millisecond, nil},
		"after the grace":     {(*Stay).Lose, 5200 * time.Millisecond, []string{"-ann (0)", "+ann (1)"}},
		"explicitly left":     {(*Stay).Leave, time.Second, []string{"-ann (0)", "+ann (1)"}},
		"left for a moment":   {(*Stay).Leave, 50 * time.Millisecond, nil},
		"left with other tab": {leaveBoth, time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, grace, func(t *testing.T, s *site, _ *watcher) {
				stay := s.enter("r", "ann", "1", Change{}, nil)
				pass(time.Second)
				expect(t, "entered", s.taken("r"), "+ann (1)")
				c.end(stay)
				pass(c.away)
				stay = s.enter("r", "ann", "2", Change{}, nil)
				pass(time.Second)
				expect(t, "back", s.taken("r"), c.want...)
				stay.Leave()
				pass(time.Second)
				expect(t, "the earlier grace does not outlive the return", s.taken("r"), "-ann (0)")
			})
		})
	}
}

// leaveBoth ends a second tab explicitly, just after the first one was lost: the
// first may still come back.
func leaveBoth(s *Stay) {
	tab, _ := s.room.tracker.Enter("r", Who{Connection: "other", User: "ann"}, Change{}, nil)
	s.Lose()
	tab.Leave()
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	inRoom(t, Options{Grace: time.Minute}, func(t *testing.T, s *site, _ *watcher) {
		one := s.enter("r", "", "c1", Change{}, nil)
		s.enter("r", "", "c2", Change{}, nil)
		pass(time.Second)
		one.Lose()
		one.Lose()
		pass(time.Second)
		expect(t, "each its own member, no grace", s.taken("r"), "+c1 +c2 (2)", "-c1 (1)")
	})
}

func TestCoalescing(t *testing.T) {
	t.Parallel()
	inRoom(t, Options{}, func(t *testing.T, s *site, w *watcher) {
		b := s.enter("r", "b", "1", Change{}, nil)
		s.enter("r", "c", "2", Change{}, nil)
		pass(30 * time.Millisecond)
		a := s.enter("r", "a", "3", Change{}, nil)
		s.enter("r", "d", "4", Change{}, nil).Leave()
		if err := a.Update(Change{Status: "busy", Info: json.RawMessage(`{"x":1}`)}); err != nil {
			t.Fatal(err)
		}
		pass(69 * time.Millisecond)
		expect(t, "too early", s.taken("r"))
		pass(time.Millisecond)
		expect(t, "a burst", s.taken("r"), `+a/busy{"x":1} +b +c (3)`)
		b.Leave()
		pass(time.Millisecond)
		b = s.enter("r", "b", "5", Change{Status: Away}, nil)
		if err := a.Update(Change{Status: Online}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		expect(t, "updates", s.taken("r"), `~a{"x":1} ~b/away (3)`)
		if err := a.Update(Change{Status: "x"}); err != nil {
			t.Fatal(err)
		}
		pass(time.Millisecond)
		if err := a.Update(Change{Status: Online}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		expect(t, "there and back", s.taken("r"))
		b.Leave()
		pass(time.Second)
		expect(t, "left", s.taken("r"), "-b/away (2)")
		expect(t, "watcher", w.members(), `a{"x":1}`, "c")
	})
}

func TestSeveralConnections(t *testing.T) {
	t.Parallel()
	type said struct {
		tab    int
		change Change
		leave  bool
		want   string
	}
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for name, steps := range map[string][]said{
		"away only when all are": {
			{0, Change{Status: Away}, false, "u"},
			{1, Change{Status: Away}, false, "u/away"},
			{0, Change{Status: Online}, false, "u"},
			{0, Change{}, true, "u/away"},
		},
		"a word counts more": {
			{0, Change{Status: "busy"}, false, "u/busy"},
			{1, Change{Status: Away}, false, "u/busy"},
			{1, Change{Status: "in a call"}, false, "u/in a call"},
			{1, Change{}, true, "u/busy"},
			{0, Change{Status: Online}, false, "u"},
		},
		"info": {
			{0, Change{Info: raw(`{"b":1, "a":"x","status":"s","lastSeen":0}`)}, false, `u{"a":"x","b":1}`},
			{1, Change{Server: raw(`{"b":2,"name":"U"}`)}, false, `u{"a":"x","b":2,"name":"U"}`},
			{1, Change{Info: raw(`{"c":null}`)}, false, `u{"b":2,"c":null,"name":"U"}`},
			{1, Change{Info: raw(`{}`)}, false, `u{"a":"x","b":2,"name":"U"}`},
			{1, Change{}, true, `u{"a":"x","b":1}`},
			{0, Change{Info: raw(`null`)}, false, `u`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, Options{}, func(t *testing.T, s *site, w *watcher) {
				tabs := []*Stay{s.enter("r", "u", "1", Change{}, nil), s.enter("r", "u", "2", Change{}, nil)}
				for _, step := range steps {
					if step.leave {
						tabs[step.tab].Leave()
					} else if err := tabs[step.tab].Update(step.change); err != nil {
						t.Fatal(err)
					}
					pass(time.Second)
					expect(t, name, w.members(), step.want)
				}
			})
		})
	}
}

func TestRefusedChanges(t *testing.T) {
	t.Parallel()
	long := string(make([]byte, MaxStatus+1))
	large, _ := json.Marshal(map[string]string{"x": string(slices.Repeat([]byte("y"), MaxInfo))})
	for _, c := range []struct {
		change Change
		want   error
	}{
		{Change{Status: "in a call"}, nil},
		{Change{Status: "à table"}, nil},
		{Change{Status: Offline}, ErrStatus},
		{Change{Status: " x"}, ErrStatus},
		{Change{Status: "a\nb"}, ErrStatus},
		{Change{Status: "\xff"}, ErrStatus},
		{Change{Status: long}, ErrStatus},
		{Change{Info: json.RawMessage(`[]`)}, ErrInfo},
		{Change{Info: json.RawMessage(`{`)}, ErrInfo},
		{Change{Info: json.RawMessage(``)}, ErrInfo},
		{Change{Info: large}, ErrInfo},
		{Change{Server: large}, nil},
		{Change{Server: json.RawMessage(`1`)}, ErrInfo},
	} {
		if _, err := c.change.parse(); !errors.Is(err, c.want) {
			t.Errorf("%.40q: %v, want %v", c.change, err, c.want)
		}
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	inRoom(t, Options{Snapshot: 2}, func(t *testing.T, s *site, _ *watcher) {
		var got notes
		var last *Stay
		for _, user := range []string{"d", "b", "a", "c"} {
			last = s.enter("r", user, user, Change{}, nil)
		}
		pass(time.Second)
		s.enter("r", "e", "e", Change{Status: "new"}, func(p *Snapshot) {
			got.add(p)
			got.add(p.WithSelf())
		})
		last.Snapshot("b", got.add)
		last.Snapshot("d", got.add)
		pass(time.Second)
		last.Snapshot("d", got.add)
		pass(0)
		expect(t, "snapshots", got.all(),
			"=a =b (4) more", "=a =b =e/new (5) more", "=c =d (4)", "(4)", "=e/new (5)")
	})
}

func TestStayIsOverOnce(t *testing.T) {
	t.Parallel()
	inRoom(t, Options{}, func(t *testing.T, s *site, w *watcher) {
		one := s.enter("r", "u", "1", Change{}, nil)
		s.enter("r", "u", "2", Change{}, nil)
		one.Leave()
		one.Leave()
		one.Lose()
		if err := one.Update(Change{Status: "ghost"}); err != nil {
			t.Error(err)
		}
		one.Snapshot("", func(*Snapshot) { t.Error("delivered") })
		pass(time.Second)
		expect(t, "members", w.members(), "u")
	})
}

// TestNothingIsLeft has the room of a channel forgotten when nobody is there.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, newCluster(), grace)
		for range 3 {
			w := s.watch("r")
			one, two := s.enter("r", "u", "1", Change{}, nil), s.enter("r", "", "2", Change{}, nil)
			pass(time.Second)
			one.Lose()
			two.Leave()
			w.leave("r")
			pass(time.Minute)
			if n, m := len(s.rooms), len(s.node.attached); n != 0 || m != 0 {
				t.Errorf("%d rooms, %d attached", n, m)
			}
		}
	})
}

func TestClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, newCluster(), grace)
		stay := s.enter("r", "u", "1", Change{}, nil)
		lost := s.enter("r", "v", "2", Change{}, nil)
		lost.Lose()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		stay.Lose()
		stay.Snapshot("", func(*Snapshot) { t.Error("delivered") })
		if _, err := s.Enter("r", Who{Connection: "3"}, Change{}, nil); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if _, err := s.Watch("r", nil); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}
