package attacks

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/integration"
)

// leftoverSite has a server of its own, which may remember 4 MiB of messages.
const leftoverSite = `
{
	admin {{admin}}
}
http://{{site}} {
	realtime /rt {
		api_key {env.REALTIME_TEST_KEY}
		user {http.request.header.X-User}
		limits {
			history_memory 4MiB
		}
		room open:* {
			subscribe anyone
			publish anyone
			history 100
		}
		room typing:* {
			subscribe anyone
			publish anyone
		}
		room lobby:* {
			subscribe anyone
			publish anyone
			presence {
				remember 5m
			}
		}
	}
}
`

// leftover is a server in which something may be left behind.
type leftover struct{ site, admin target }

// precious is how many messages a channel has that must stay.
const precious = 50

// attackLeftovers try to push out what others want to keep, by what is left behind of
// things that are over.
func attackLeftovers(w *world) []attack {
	// Half as many names and keys may leave half as much behind.
	names, keys, left := sized(50_000, 100_000), sized(30_000, 60_000), sized[int64](4<<20, 8<<20)
	members := sized(20_000, 100_000)
	return []attack{
		{thousands(names) + " names subscribed to and left by one connection", "the history of another channel stays, memory flat, no room left over", func(t *testing.T) string {
			l := startLeftover(t, w, bounds{peak: 64 << 20, kept: 64 << 20, cpu: 12 * time.Second})
			return l.spares(t, left, func() { stays(t, l.site, "open:left", names) })
		}},
		{thousands(keys) + " idempotency keys in 200 channels without history", "the history of another channel stays, memory flat, no room left over", func(t *testing.T) string {
			l := startLeftover(t, w, bounds{peak: 64 << 20, kept: 64 << 20, cpu: 6 * time.Second})
			return l.spares(t, left, func() { typeKeys(t, l.site, 200, keys/200) })
		}},
		{thousands(members) + " stays of a moment in as many channels with presence, by one connection", "some are remembered, the history of another channel stays, memory flat, no room left over", func(t *testing.T) string {
			// Who left is remembered in up to 64 MiB, by 1.3 KiB each. Only the full size reaches that;
			// tests of backend/memory reach it as well.
			l := startLeftover(t, w, bounds{peak: 192 << 20, kept: 192 << 20, cpu: 20 * time.Second})
			happened := l.spares(t, sized[int64](32<<20, 72<<20), func() { stays(t, l.site, "lobby:", members) })
			a := l.site.send(t, request{"GET", fmt.Sprintf("/rt/channels/lobby:%d/presence", members-1), []string{bearer(appKey)}, ""})
			if !strings.Contains(a.body, `"status":"offline"`) {
				return fmt.Sprintf("the latest is not remembered: %v %s", a, a.body)
			}
			return "some are remembered, " + happened
		}},
	}
}

func startLeftover(t *testing.T, w *world, b bounds) leftover {
	p := integration.StartProcess(t, leftoverSite, "REALTIME_TEST_KEY="+appKey)
	w.gauge.watch(p)
	w.gauge.allow(b)
	return leftover{target(p.Addr("site")), target(p.Addr("admin"))}
}

// spares says what an attack leaves of the history of a channel, and of the memory.
func (l leftover) spares(t *testing.T, most int64, attack func()) string {
	for i := range precious {
		if a := l.site.send(t, post("open:precious", fmt.Sprintf(`{"content":"%d %s"}`, i, strings.Repeat("x", 1024)), jsonType)); a.status != 200 {
			t.Fatal(a, a.body)
		}
	}
	before := l.admin.inUse(t)
	attack()
	growth := int64(l.admin.inUse(t)) - int64(before)
	a := l.site.send(t, request{"GET", "/rt/channels/open:precious/messages?limit=1000", nil, ""})
	var page struct{ Messages []json.RawMessage }
	if err := json.Unmarshal([]byte(a.body), &page); err != nil {
		t.Fatal(err, a.body)
	}
	switch rooms := l.site.channels(t); {
	case len(page.Messages) != precious:
		return fmt.Sprintf("%d of %d messages are left", len(page.Messages), precious)
	case growth > most:
		return fmt.Sprintf("%d KiB more in use", growth>>10)
	case rooms > 1:
		return fmt.Sprintf("%d rooms are left over", rooms)
	}
	return fmt.Sprintf("the history of another channel stays, memory flat, no room left over (%+d KiB)", growth>>10)
}

// thousands writes a number of thousands for people.
func thousands(n int) string { return fmt.Sprintf("%d,000", n/1000) }

// stays subscribes to n names, some at a time, and leaves them when it is in.
func stays(t *testing.T, s target, name string, n int) {
	const some = 50
	c := s.connect(t, "X-User: mallory")
	for first := 0; first < n; first += some {
		for _, step := range []struct{ command, answer string }{{"subscribe", "subscribed"}, {"unsubscribe", "unsubscribed"}} {
			var b []byte
			for i := first; i < first+some; i++ {
				b = append(b, frame(headText, fmt.Sprintf(`{"type":%q,"payload":{"channel":"%s%d"}}`, step.command, name, i))...)
			}
			if _, err := c.conn.Write(b); err != nil {
				t.Fatal(err)
			}
			for left := some; left > 0; {
				switch ev, err := c.next(); {
				case err != nil || ev.Type == "error":
					t.Fatal(ev, err)
				case ev.Type == step.answer:
					left--
				}
			}
		}
	}
}

// typeKeys publishes to some channels, each time with other keys.
func typeKeys(t *testing.T, s target, channels, each int) {
	for k := range each {
		for first := 0; first < channels; first += 100 {
			var items []string
			for i := first; i < first+100; i++ {
				items = append(items, fmt.Sprintf(`{"channels":["typing:%d"],"content":1,"key":"%064d"}`, i, k))
			}
			if a := s.send(t, request{"POST", "/rt/publish", []string{jsonType}, "[" + strings.Join(items, ",") + "]"}); a.status != 200 {
				t.Fatal(a, a.body)
			}
		}
	}
}
