package sse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// contents reads messages up to a content and gives the contents of all.
func (st *stream) contents(last string) (all []string) {
	st.t.Helper()
	for {
		ev, err := st.next()
		switch {
		case err != nil:
			st.t.Fatalf("after %q: %v", all, err)
		case ev.name != "message":
			continue
		}
		if all = append(all, ev.data); ev.data == last {
			return all
		}
	}
}

// until reads events up to one with this name.
func (st *stream) until(name string) event {
	st.t.Helper()
	for {
		ev, err := st.next()
		if err != nil {
			st.t.Fatalf("%s: %v", name, err)
		}
		if ev.name == name {
			return ev
		}
	}
}

// A stream begins with the newest messages of each channel that has any, and goes on
// with those that come.
func TestHistory(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"channel=kept:1", "channel=kept:1&channel=plain:1&channel=kept:2"} {
		overEachWay(t, config{}, func(t *testing.T, s *site) {
			for i := range 5 {
				s.publish("kept:1", fmt.Sprintf(`"old %d"`, i))
			}
			st := s.open(query + "&format=content&history=3")
			first := st.contents("old 4")
			s.publish("kept:1", `"new"`)
			if got := strings.Join(append(first, st.contents("new")...), ", "); got != "old 2, old 3, old 4, new" {
				t.Errorf("got %s", got)
			}
		})
	}
}

// Whoever comes back gets what was missed, and not the history again; also after the
// line broke in the middle of the history, or before it.
func TestHistoryBreaks(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"channel=kept:1", "channel=kept:1&channel=kept:2"} {
		for seen := range 4 {
			s := newSite(t, config{way: ways[0]})
			for i := range 4 {
				s.publish("kept:1", fmt.Sprintf(`"old %d"`, i))
			}
			query := query + "&format=content&history=3"
			st := s.open(query)
			st.event("connected")
			id := st.lastID
			if !strings.Contains(query, "kept:2") {
				id = st.event("subscribed").id
			}
			for i := range seen {
				st.contents(fmt.Sprintf("old %d", i+1))
				id = st.lastID
			}
			st.leave()
			s.publish("kept:1", `"missed"`)
			want := strings.Join(append([]string{"old 1", "old 2", "old 3"}[seen:], "missed"), ", ")
			if got := strings.Join(s.open(query, "Last-Event-Id", id).contents("missed"), ", "); got != want {
				t.Errorf("%s, after %d messages: got %q, want %q", query, seen, got, want)
			}
		}
	}
}

// The history of all channels may be larger than a connection's queue: the client is
// waited for, and nothing is missing.
func TestHistoryOfManyLargeChannels(t *testing.T) {
	t.Parallel()
	const channels, messages = 5, 10
	overEachWay(t, config{settings: hub.Settings{QueueBytes: 64 << 10}}, func(t *testing.T, s *site) {
		query, filler := "format=content&history=20", strings.Repeat("x", 2<<10)
		for c := range channels {
			query += fmt.Sprintf("&channel=kept:%d", c)
			for m := range messages {
				s.publish(fmt.Sprintf("kept:%d", c), fmt.Sprintf(`"%d %d %s"`, c, m, filler))
			}
		}
		st := s.open(query)
		for c := range channels {
			for m := range messages {
				if ev := st.until("message"); !strings.HasPrefix(ev.data, fmt.Sprintf("%d %d ", c, m)) {
					t.Fatalf("got %.40q instead of %d %d", ev.data, c, m)
				}
			}
		}
	})
}

// What another server has given out says nothing of what the client has seen.
func TestForeignCursor(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"{}", "17", "abcdef~k3v9x2m7", "\u00e4", strings.Repeat("abcdef~e~1.", 1000), strings.Repeat("x", 9000)} {
		for _, query := range []string{"channel=kept:1", "channel=kept:1&channel=plain:1&channel=kept:2"} {
			s := newSite(t, config{way: ways[0]})
			p := s.publish("kept:1", `"old"`)
			st := s.open(query+"&history=5", "Last-Event-Id", id)
			ev := st.until("gap")
			if !strings.Contains(ev.data, `"kept:1"`) || !strings.Contains(ev.id, cursor("kept:1", p)) {
				t.Errorf("%.20q: got %+v", id, ev)
			}
			for range strings.Count(query, "channel=") - 1 {
				st.until("gap")
			}
			s.publish("kept:1", `"new"`)
			st.until("message")
		}
	}
}

// Parameters of others pass, also those that tokens come in.
func TestParametersOfOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, config{way: ways[0]})
	s.open("channel=kept:1&token=x&_=17&room=5&since=token").begin(1)
}
