package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/checker"
)

// Anyone may subscribe to rooms in which nothing was published. Nothing is left of them.
func TestUnpublishedRoomsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patientOptions(s.Addr))
	for i := range 50 {
		channel := fmt.Sprint("room:", i)
		if err := n.Attach(t.Context(), channel, kept); err != nil {
			t.Fatal(err)
		}
		top := n.page(t, channel, nil).Top
		if again := n.page(t, channel, nil).Top; top.Epoch == "" || top.Offset != 0 || again != top {
			t.Errorf("the room is at %+v, then at %+v", top, again)
		}
		n.Detach(channel)
	}
	if left := fmt.Sprint(s.do("keys", "*")); left != "[rt:secret]" {
		t.Errorf("this is left: %s", left)
	}
}

func (n *node) page(t *testing.T, channel string, since *hub.Position) hub.HistoryPage {
	t.Helper()
	page, err := n.History(t.Context(), channel, kept, hub.HistoryQuery{Since: since, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// A position from before the first message is valid until a log with messages ends.
func TestEpochAfterALogThatEnded(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", patientOptions(s.Addr))
	publish := func(channel string, keep hub.Retention) hub.Position {
		p, err := n.Publish(t.Context(), &hub.Message{Channel: channel, Content: []byte("1")}, hub.PublishOptions{Retention: keep})
		if err != nil {
			t.Fatal(err)
		}
		return p.Position
	}
	for what, end := range map[string]func(channel string){
		"ended":         func(channel string) { publish(channel, hub.Retention{}) },
		"without meta":  func(channel string) { s.do("del", "rt:m:{"+channel+"}") },
		"without Redis": func(string) { s.do("flushall") },
	} {
		before := n.page(t, what, nil).Top
		first := publish(what, kept)
		if first.Epoch != before.Epoch || first.Offset != 1 {
			t.Errorf("%s: from %+v to %+v", what, before, first)
		}
		if ttl := s.do("pttl", "rt:m:{"+what+"}").(int64); ttl < (24 * time.Hour).Milliseconds() {
			t.Errorf("%s: the epoch is kept for %d ms, which is less than a day", what, ttl)
		}
		end(what)
		if again := publish(what, kept); again.Epoch == first.Epoch || again.Offset != 1 {
			t.Errorf("%s: from %+v to %+v", what, first, again)
		}
		if page := n.page(t, what, &before); !page.Lost {
			t.Errorf("%s: a message is missing, and the page does not say so: %+v", what, page)
		}
	}
}

// A node that knows more of a room than Redis gives it a new epoch, even if Redis has nothing
// of it.
func TestLogThatIsGone(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := newNode(t, checker.New(checker.Options{}), "node", quickOptions(s.Addr))
	n.enter("room")
	for i := range 3 {
		n.publishAndRead("room", fmt.Sprintf(`"%d"`, i))
	}
	n.await(t, "they are delivered", func() bool { return n.last["room"].Offset == 3 })
	before := n.last["room"]
	s.do("del", "rt:m:{room}", "rt:s:{room}")
	n.await(t, "a gap", func() bool { return n.gaps["room"] == 1 })
	if page := n.page(t, "room", nil); page.Top.Epoch == before.Epoch || page.Top.Offset != 0 {
		t.Errorf("from %+v to %+v", before, page.Top)
	}
	if ttl := s.do("pttl", "rt:m:{room}").(int64); ttl <= 0 {
		t.Errorf("the new epoch is kept for %d ms", ttl)
	}
}

// emptyEpochScript returns the epoch of a room at a time, in ms from now.
var emptyEpochScript = newScript(runUntilGrowth, `local secret, name, at = ARGV[1], KEYS[1], ARGV[2]
`, emptyEpochSource, `return emptyEpoch(secret, name, now + at)`)

// eval runs a script.
func (s *server) eval(script *script, keys []string, args ...any) any {
	words := []any{"eval", script.source, len(keys)}
	for _, k := range keys {
		words = append(words, k)
	}
	return s.do(append(words, args...)...)
}

func (s *server) blank(meta string, from time.Duration) string {
	return s.eval(emptyEpochScript, []string{meta}, "secret", from.Milliseconds()).(string)
}

// The epoch of a room without messages lasts a day. Subscribers who are in the room when the
// day ends keep it.
func TestEpochOfADay(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.do("set", "secret", "secret")
	ask := func(meta, known string) string {
		position := s.eval(positionScript, []string{meta, "secret"}, "other", 60000, known).(string)
		epoch, offset, _ := strings.Cut(position, ":")
		if offset != "0:0" {
			t.Fatalf("a room without messages is at %s", position)
		}
		return epoch
	}
	// named finds a room whose day ends between two times from now.
	named := func(from, to time.Duration) string {
		for i := range 100_000 {
			meta := fmt.Sprint("room:", i)
			if s.blank(meta, from) == s.blank(meta, 0) && s.blank(meta, to) != s.blank(meta, 0) {
				return meta
			}
		}
		t.Fatal("no such room")
		return ""
	}
	ends, begun := named(time.Minute, 4*time.Minute), ""
	for i := 0; begun == ""; i++ {
		if meta := fmt.Sprint("other:", i); s.blank(meta, -50*time.Minute) != s.blank(meta, 0) && s.blank(meta, -time.Minute) == s.blank(meta, 0) {
			begun = meta
		}
	}
	midday := named(time.Hour, 23*time.Hour)
	if today, tomorrow := s.blank(ends, 0), s.blank(ends, 24*time.Hour); today == tomorrow || s.blank(ends, 24*time.Hour) != tomorrow {
		t.Errorf("two days have the epochs %s and %s", today, tomorrow)
	}
	for _, test := range []struct {
		what, meta, known string
		lasts             bool
	}{
		{"before midnight, nobody there", ends, "", false},
		{"before midnight, with another epoch", ends, "another", false},
		{"at midday", midday, s.blank(midday, 0), false},
		{"long after", midday, s.blank(midday, -24*time.Hour), false},
		{"after midnight, today's", begun, s.blank(begun, 0), false},
		{"after midnight, yesterday's", begun, s.blank(begun, -time.Hour), true},
		{"before midnight", ends, s.blank(ends, 0), true},
	} {
		want := s.blank(test.meta, 0)
		if test.lasts {
			want = test.known
		}
		if got := ask(test.meta, test.known); got != want {
			t.Errorf("%s: the epoch is %s, want %s", test.what, got, want)
		}
		ttl := s.do("pttl", test.meta).(int64)
		if test.lasts != (ttl > 0) || ttl > (10*time.Minute).Milliseconds() {
			t.Errorf("%s: something is kept for %d ms", test.what, ttl)
		}
		s.do("del", test.meta)
	}
}
