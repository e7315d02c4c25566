package session

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestKeyMakesARepeatHarmless(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("h", 10)}, func(t *testing.T, w *world) {
		ann, bob := w.connect("ann"), w.connect("bob")
		say := `{"type":"message","id":1,"payload":{"channel":"h","content":1,"key":"k"}}`
		ann.say(say, say)
		ann.hears(`{"type":"ack","id":1,"payload":{"channel":"h","offset":1}}`,
			`{"type":"ack","id":1,"payload":{"channel":"h","offset":1,"duplicate":true}}`)
		bob.say(say)
		bob.hears(`{"type":"ack","id":1,"payload":{"channel":"h","offset":2}}`)
		again := w.connect("ann")
		again.say(say)
		again.hears(`{"type":"ack","id":1,"payload":{"channel":"h","offset":1,"duplicate":true}}`)
	})
}

// A volatile message reaches everybody and is in no history. Without an id it has no answer.
func TestVolatile(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("h", 10)}, func(t *testing.T, w *world) {
		ann, bob := w.connect("ann"), w.connect("bob")
		bob.say(`{"type":"subscribe","id":1,"payload":{"channel":"h"}}`)
		bob.hears(`{"type":"subscribed","id":1,"payload":{"channel":"h","offset":0}}`)
		ann.say(`{"type":"message","payload":{"channel":"h","content":1,"volatile":true}}`)
		ann.hears()
		bob.hears(`{"type":"message","payload":{"channel":"h","sender":"ann","content":1}}`)
		ann.say(`{"type":"message","id":2,"payload":{"channel":"h","content":1,"volatile":true}}`,
			`{"type":"message","id":3,"payload":{"channel":"h","content":1,"volatile":true,"key":"k"}}`,
			`{"type":"message","id":4,"payload":{"channel":"h","content":1}}`)
		ann.hears(`{"type":"ack","id":2,"payload":{"channel":"h"}}`,
			`{"type":"error","id":3,"payload":{"code":"INVALID_MESSAGE"}}`,
			`{"type":"ack","id":4,"payload":{"channel":"h","offset":1}}`)
	})
}

// Two different callers or keys never look like the same.
func TestScopedKeysAreDistinct(t *testing.T) {
	t.Parallel()
	parts := []string{"", "1", "1:", ":", "a", "a:", "ann", "annk", "k", "kk", "s:", "s:k", "u1:ak", "11:", "3:annk"}
	seen := make(map[string]string)
	note := func(c Caller, key string) {
		who := fmt.Sprintf("%+v %q", c, key)
		if first, there := seen[scoped(c, key)]; there {
			t.Errorf("%s and %s are both %q", first, who, scoped(c, key))
		}
		seen[scoped(c, key)] = who
	}
	for _, key := range parts[1:] {
		for _, user := range parts[1:] {
			note(Caller{App: true, Key: user}, key)
			note(Caller{Principal: named(user)}, key)
			note(Caller{Connection: user}, key)
		}
		note(Caller{Principal: &Principal{IP: netip.MustParseAddr("192.0.2.1")}}, key)
		note(Caller{}, key+"-that-nobody-guesses")
	}
	if got := scoped(Caller{Principal: named("ann")}, ""); got != "" {
		t.Errorf("no key became %q", got)
	}
	// An anonymous client that comes back has another connection.
	key := strings.Repeat("k", unguessable)
	if scoped(Caller{Connection: "x"}, key) != scoped(Caller{Connection: "y"}, key) || scoped(Caller{}, key) != scoped(Caller{Connection: "x"}, key) {
		t.Error("an anonymous caller can not repeat what it sent over a lost connection")
	}
}

func TestSender(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Caller{
		"^$":             {App: true, Principal: named("ann"), Connection: "c"},
		"^ann$":          {Principal: named("ann"), Connection: "c"},
		"^c$":            {Connection: "c"},
		"^[a-z2-7]{16}$": {},
	} {
		if got := sender(c); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%+v sends as %q", c, got)
		}
	}
}

func TestRegistryPublish(t *testing.T) {
	rooms := []policy.Room{
		{Pattern: "open", Subscribe: policy.Anyone, Publish: policy.Anyone},
		{Pattern: "known", Publish: policy.Users},
		{Pattern: "own:{user}", Publish: policy.Users},
		{Pattern: "server"},
	}
	ann, anon, app := Caller{Principal: named("ann")}, Caller{}, Caller{App: true}
	scope, err := policy.NewScope(map[string][]string{"publish": {"unknown"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	const ok = protocol.Code("")
	large := `"` + strings.Repeat("x", 99) + `"`
	tests := []struct {
		c                Caller
		channel, content string
		want             protocol.Code
	}{
		{ann, "open", "1", ok},
		{anon, "open", "1", ok},
		{ann, "known", "1", ok},
		{anon, "known", "1", protocol.Unauthorized},
		{ann, "own:ann", "1", ok},
		{ann, "own:bob", "1", protocol.Forbidden},
		{ann, "server", "1", protocol.Forbidden},
		{ann, "unknown", "1", protocol.Forbidden},
		{app, "server", "1", ok},
		{app, "own:bob", "1", ok},
		{app, "unknown", "1", protocol.InvalidChannel},
		{Caller{App: true, Scope: scope}, "unknown", "1", protocol.InvalidChannel},
		{Caller{App: true, Scope: scope}, "unnamed", "1", protocol.Forbidden},
		{app, "a*", "1", protocol.InvalidChannel},
		{ann, "", "1", protocol.InvalidChannel},
		{ann, "open", large, protocol.TooLarge},
		{app, "open", large, protocol.TooLarge},
		{ann, "server", large, protocol.Forbidden},
	}
	inBubble(t, Limits{MessageSize: 100}, rooms, func(t *testing.T, w *world) {
		for _, test := range tests {
			_, e := w.registry.Publishing.Publish(t.Context(), test.c, protocol.Publish{Channel: test.channel, Content: []byte(test.content)})
			if got := codeOf(e); got != test.want {
				t.Errorf("%+v into %q: %q, want %q", test.c, test.channel, got, test.want)
			}
		}
	})
}

func TestRatesWithoutAConnection(t *testing.T) {
	rooms := open("a", "b")
	rooms[0].Rate = policy.Rate{PerSecond: 1, Burst: 1}
	limits := Limits{Rate: policy.Rate{PerSecond: 1, Burst: 3}}
	inBubble(t, limits, rooms, func(t *testing.T, w *world) {
		into := func(c Caller, channel string) protocol.Code {
			_, e := w.registry.Publishing.Publish(t.Context(), c, protocol.Publish{Channel: channel, Content: []byte("1")})
			return codeOf(e)
		}
		expect := func(c Caller, channel string, want protocol.Code) {
			t.Helper()
			if got := into(c, channel); got != want {
				t.Errorf("%+v into %q: %q, want %q", c, channel, got, want)
			}
		}
		const ok, slow = protocol.Code(""), protocol.RateLimited
		ann, bob := Caller{Principal: named("ann")}, Caller{Principal: named("bob")}
		expect(ann, "a", ok)
		expect(ann, "a", slow) // the room's rate
		expect(ann, "b", ok)
		expect(ann, "b", slow) // her own
		expect(bob, "a", ok)
		if _, e := w.registry.Publishing.History(t.Context(), ann, protocol.History{Channel: "a"}); codeOf(e) != slow {
			t.Errorf("history: %v", e)
		}
		near, far := Caller{Principal: &Principal{IP: netip.MustParseAddr("2001:db8::1")}}, Caller{Principal: &Principal{IP: netip.MustParseAddr("2001:db8:0:1::1")}}
		expect(near, "a", ok)
		near = Caller{Principal: &Principal{IP: near.Principal.IP.Next()}}
		expect(near, "a", slow)
		expect(far, "a", ok)
		for range 10 {
			expect(Caller{App: true}, "a", ok)
		}
		time.Sleep(time.Second)
		expect(ann, "a", ok)
	})
}

func TestRegistryHistory(t *testing.T) {
	rooms := []policy.Room{kept("h", 10), {Pattern: "shut", Publish: policy.Anyone, History: hub.Retention{Size: 1}}}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		w.fill("h", 3)
		w.fill("shut", 1)
		page, e := w.registry.Publishing.History(t.Context(), Caller{}, protocol.History{Channel: "h", Limit: 2})
		if e != nil || len(page.Messages) != 2 || page.Top.Offset != 3 {
			t.Errorf("%+v, %v", page, e)
		}
		// Who may publish may not read for that.
		if _, e = w.registry.Publishing.History(t.Context(), Caller{Principal: named("ann")}, protocol.History{Channel: "shut", Limit: 2}); codeOf(e) != protocol.Forbidden {
			t.Errorf("%v", e)
		}
		if page, e = w.registry.Publishing.History(t.Context(), Caller{App: true}, protocol.History{Channel: "shut", Limit: 2}); e != nil || len(page.Messages) != 1 {
			t.Errorf("%+v, %v", page, e)
		}
	})
}

func TestStoreFails(t *testing.T) {
	commands := map[string]string{
		"subscribe": subscribeTo("h"),
		"message":   `{"type":"message","id":1,"payload":{"channel":"h","content":1}}`,
		"history":   `{"type":"history","id":1,"payload":{"channel":"h"}}`,
	}
	for name, command := range commands {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{}, []policy.Room{kept("h", 10)}, func(t *testing.T, w *world) {
				c := w.connect("")
				w.broker.set(func() { w.broker.fail = fmt.Errorf("redis at 10.0.0.7: %w", hub.ErrUnavailable) })
				c.say(command)
				synctest.Wait()
				away := strings.Join(c.wire.take(), "")
				if !strings.Contains(away, `"code":"UNAVAILABLE"`) || !strings.Contains(away, `"retryAfter":`) || strings.Contains(away, "10.0.0.7") {
					t.Errorf("the store is away: %s", away)
				}
				w.broker.set(func() { w.broker.fail = errors.New("secret detail") })
				c.say(command)
				synctest.Wait()
				if got := strings.Join(c.wire.take(), ""); !strings.Contains(got, `"code":"INTERNAL"`) || strings.Contains(got, "secret") {
					t.Errorf("the store is broken: %s", got)
				}
				if got := w.logs.String(); !strings.Contains(got, "secret detail") || strings.Contains(got, "10.0.0.7") {
					t.Errorf("logged: %s", got)
				}
				w.broker.set(func() { w.broker.fail = nil })
				c.say(command)
				synctest.Wait()
				if got := strings.Join(c.wire.take(), ""); strings.Contains(got, "error") {
					t.Errorf("the store is back: %s", got)
				}
			})
		})
	}
}

// A content of exactly the message size is accepted, from the client and from the app that it goes through.
func TestContentOfTheMessageSize(t *testing.T) {
	content := []byte(`"` + strings.Repeat("x", 50) + `"`)
	inBubble(t, Limits{MessageSize: len(content)}, open("a"), func(t *testing.T, w *world) {
		c := Caller{Principal: named("ann")}
		if e := w.into(c, "a", string(content)); e != nil {
			t.Error(e)
		}
		if e := w.into(c, "a", " "+string(content)); codeOf(e) != protocol.TooLarge {
			t.Error(e)
		}
		rules := w.registry.rules.Load()
		h := handled{rules: rules, room: rules.policy.Match("a")}
		for extra, want := range []protocol.Code{"", protocol.TooLarge} {
			said := protocol.Publish{Channel: "a", Content: append([]byte(strings.Repeat(" ", extra)), content...)}
			if e := h.replace(&hub.Message{Channel: "a", Content: content}, said); codeOf(e) != want {
				t.Errorf("%d bytes more from the app: %v", extra, e)
			}
		}
	})
}

// Content and tags together fill a page of the history.
func TestFittingCountsTags(t *testing.T) {
	t.Parallel()
	m := &hub.Message{Content: []byte("12345"), Tags: []byte("12345")}
	for bytes, want := range map[int]int{0: 1, 10: 1, 19: 1, 20: 2, 29: 2, 30: 3, 99: 3} {
		if got := len(fitting(hub.HistoryPage{Messages: []*hub.Message{m, m, m}}, true, bytes).Messages); got != want {
			t.Errorf("%d messages fit into %d bytes, want %d", got, bytes, want)
		}
	}
}
