package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// replays returns what a reply to a subscription would have.
func (c *client) replays(q protocol.Subscribe) (contents string, recovered bool, code protocol.Code) {
	c.t.Helper()
	sub, e := c.Replay(c.t.Context(), q)
	var got []string
	for _, m := range sub.Messages {
		got = append(got, string(m.Content))
	}
	return strings.Join(got, " "), sub.Recovered, codeOf(e)
}

// A client that is in a room gets of its history what a new subscription would get: the newest messages that pass
// its filter, or everything after a position, or nothing if a part of that is missing.
func TestReplayOfASubscription(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 4)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		if _, _, code := c.replays(protocol.Subscribe{Channel: "a", History: 1}); code != protocol.NotSubscribed {
			t.Errorf("outside of the room: %s", code)
		}
		if e := w.subscribeWith(c, `tags.team == "red"`); e != nil {
			t.Fatal(e)
		}
		var at []hub.Position
		for i, team := range []string{"red", "red", "red", "red", "blue", "blue"} {
			m := protocol.Publish{Channel: "a", Content: fmt.Append(nil, i), Tags: fmt.Appendf(nil, `{"team":%q}`, team)}
			out, e := w.registry.Publishing.Publish(t.Context(), Caller{App: true}, m)
			if e != nil {
				t.Fatal(e)
			}
			at = append(at, out.Position)
		}
		for name, step := range map[string]struct {
			history   int
			since     *hub.Position
			want      string
			recovered bool
		}{
			"nothing":                {0, nil, "", false},
			"the newest that passes": {1, nil, "3", false},
			"two":                    {2, nil, "2 3", false},
			"all":                    {9, nil, "2 3", false},
			"from a position":        {0, &at[2], "3", true},
			"from the oldest":        {0, &at[1], "2 3", true},
			"from the newest":        {0, &at[5], "", true},
			"from too far back":      {0, &at[0], "", false},
			"history does not count": {1, &at[1], "2 3", true},
		} {
			got, recovered, code := c.replays(protocol.Subscribe{Channel: "a", History: step.history, Recover: step.since})
			if got != step.want || recovered != step.recovered || code != "" {
				t.Errorf("%s: %q, recovered %v, %s", name, got, recovered, code)
			}
		}
		w.broker.set(func() { w.broker.fail = errors.New("out of order") })
		if got, _, code := c.replays(protocol.Subscribe{Channel: "a", History: 1}); got != "" || code != protocol.Internal {
			t.Errorf("the broker fails: %q, %s", got, code)
		}
	})
}

// Without a filter the broker itself chooses the newest messages.
func TestReplayWithoutAFilter(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 4)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.joins("a", "", nil)
		w.send("a", "", "1", "2", "3")
		for n, want := range []string{"", "3", "2 3", "1 2 3", "1 2 3"} {
			if got, _, code := c.replays(protocol.Subscribe{Channel: "a", History: n}); got != want || code != "" {
				t.Errorf("%d messages: %q, %s", n, got, code)
			}
		}
	})
}

// A replay needs the permission to read the history, as a subscription with history does. To recover does not.
func TestReplayNeedsPermission(t *testing.T) {
	room := kept("a", 4)
	room.HistoryAccess = policy.Server
	inBubble(t, Limits{}, []policy.Room{room}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.joins("a", "", nil)
		w.send("a", "", "1", "2")
		if got, _, code := c.replays(protocol.Subscribe{Channel: "a", History: 1}); got != "" || code != protocol.Forbidden {
			t.Errorf("%q, %s", got, code)
		}
		since := *w.newest("a")
		w.send("a", "", "3")
		if got, recovered, code := c.replays(protocol.Subscribe{Channel: "a", Recover: &since}); got != "3" || !recovered || code != "" {
			t.Errorf("to recover: %q, %v, %s", got, recovered, code)
		}
	})
}

// A replay has no more than half of a queue may hold: the newest messages, or none if that leaves a hole.
func TestReplayThatIsLarge(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("a", 9)}, func(t *testing.T, w *world) {
		w.hub.Apply(hub.Settings{Room: w.config.Policy.Options, QueueBytes: 2000})
		c := w.connect("ann")
		c.joins("a", "", nil)
		long := func(n int) string { return strings.Repeat(fmt.Sprint(n), 400) }
		var since hub.Position
		for n := range 5 {
			w.send("a", "", long(n))
			if n == 1 {
				since = *w.newest("a")
			}
		}
		c.wire.take()
		if got, _, code := c.replays(protocol.Subscribe{Channel: "a", History: 5}); got != long(3)+" "+long(4) || code != "" {
			t.Errorf("%d bytes, %s", len(got), code)
		}
		if got, recovered, code := c.replays(protocol.Subscribe{Channel: "a", Recover: &since}); got != "" || recovered || code != "" {
			t.Errorf("a part of what is missing: %d bytes, %v, %s", len(got), recovered, code)
		}
	})
}
