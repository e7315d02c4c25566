package session

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func fixed(o *Options) { o.Fixed, o.Name = true, "sse" }

// stream opens a stream in some channels. It returns the secret in its `connected`.
func (w *world) stream(user string, channels ...string) (c *client, secret string) {
	w.t.Helper()
	c, e := w.dial(named(user), fixed)
	if e != nil {
		w.t.Fatal(e)
	}
	synctest.Wait()
	var greeting struct{ Payload struct{ Secret string } }
	if err := json.Unmarshal([]byte(c.wire.take()[0]), &greeting); err != nil {
		w.t.Fatal(err)
	}
	for _, channel := range channels {
		if e := c.Subscribe(w.t.Context(), protocol.Subscribe{Channel: channel}, SubscribeOptions{}); e != nil {
			w.t.Fatal(e)
		}
	}
	settle()
	c.wire.take()
	return c, greeting.Payload.Secret
}

// says is an update over HTTP in the room `lobby`.
func says(secret, status, info string) protocol.StreamPresence {
	q := protocol.StreamPresence{Secret: secret, Channel: "lobby", Appearance: protocol.Appearance{Status: status}}
	if info != "" {
		q.Info = json.RawMessage(info)
	}
	return q
}

func by(user string) Caller { return Caller{Principal: named(user)} }

func (w *world) updates(c Caller, q protocol.StreamPresence, want protocol.Code) {
	w.t.Helper()
	if e := w.registry.Streams.Update(w.t.Context(), c, q); codeOf(e) != want {
		w.t.Errorf("%q by %q: %v; want %q", q.Status, c.User(), e, want)
	}
}

func TestPresenceOfStreams(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby"), open("plain")[0]}, func(t *testing.T, w *world) {
		watcher := w.connect("ann")
		watcher.say(subscribeLobby)
		settle()
		watcher.wire.take()
		_, bob := w.stream("bob", "lobby", "plain")
		anonymous, nobody := w.stream("", "lobby")
		watcher.wire.take()
		w.updates(by("bob"), says(bob, "away", `{"at":"<desk>"}`), "")
		settle()
		watcher.hears(presenceFrame(`"updated":["bob"],"info":{"bob":{"status":"away","at":"<desk>"}},"count":3`))
		w.updates(by(""), says(nobody, "busy", ""), "")
		settle()
		id := anonymous.Conn().ID()
		watcher.hears(presenceFrame(fmt.Sprintf(`"updated":[%[1]q],"info":{%[1]q:{"status":"busy"}},"count":3`, id)))

		elsewhere := says(bob, "away", "")
		elsewhere.Channel = "plain"
		w.updates(by("bob"), elsewhere, protocol.Forbidden)
		elsewhere.Channel = "nowhere"
		w.updates(by("bob"), elsewhere, protocol.NotSubscribed)
		w.updates(by("bob"), says(bob, strings.Repeat("x", 33), ""), protocol.InvalidMessage)
		w.updates(by("bob"), says(bob, "", `{"x":"`+strings.Repeat("x", 1024)+`"}`), protocol.InvalidMessage)
		w.updates(by("ann"), says(bob, "away", ""), protocol.Forbidden)
		w.updates(by(""), says(bob, "away", ""), protocol.Forbidden)
		w.updates(Caller{App: true}, says(bob, "away", ""), protocol.Forbidden)
		other := by("bob")
		other.Principal.Realm = "other"
		w.updates(other, says(bob, "away", ""), protocol.Forbidden)
		settle()
		watcher.hears()
		if strings.Contains(w.logs.String(), bob) || strings.Contains(w.logs.String(), bob[len(bob)-26:]) {
			t.Error("a log has the secret")
		}
	})
}

// Secrets that are none: nobody learns by the answer which streams there are.
func TestWrongSecrets(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		one, first := w.stream("", "lobby")
		two, second := w.stream("", "lobby")
		a, b := strings.Split(first, "."), strings.Split(second, ".")
		if a[1] != one.Conn().ID() || first == second || a[2] == b[2] || len(a[2]) != 26 || len(a[1]) != 26 {
			t.Fatalf("the secrets are %s and %s", first, second)
		}
		texts := map[string]bool{}
		for _, secret := range []string{
			"", ".", "..", a[1], a[0] + "." + a[1], a[0] + "." + a[1] + ".",
			a[0] + "." + a[1] + "." + b[2],                    // the proof of another stream
			a[0] + "." + a[1] + "." + strings.Repeat("a", 26), // a guess
			a[0] + "." + a[1] + "." + a[2][:25],               // a part
			a[0] + "." + a[1] + "." + strings.ToUpper(a[2]), streamID("") + ".", a[0] + "." + streamID("a") + ".a",
			first + "A", first + ".", first + "\x00", " " + first, // more
			"othernode." + a[1] + "." + a[2], "{}*." + a[1] + "." + a[2], "." + a[1] + "." + a[2],
			strings.Repeat("a", 1<<20), strings.Repeat(".", 1<<20),
		} {
			e := w.registry.Streams.Update(t.Context(), by(""), says(secret, "away", ""))
			if codeOf(e) != protocol.NotSubscribed {
				t.Errorf("%.60q: %v", secret, e)
				continue
			}
			texts[e.Message] = true
		}
		two.Conn().Close(hub.ReasonLost)
		synctest.Wait()
		e := w.registry.Streams.Update(t.Context(), by(""), says(second, "away", ""))
		if codeOf(e) != protocol.NotSubscribed {
			t.Errorf("a closed stream: %v", e)
		}
		if texts[e.Message] = true; len(texts) != 1 {
			t.Errorf("the answers differ: %v", texts)
		}
		w.updates(by(""), says(first, "away", ""), "")
		one.Conn().Close(hub.ReasonLost)
		synctest.Wait()
		if n := len(w.registry.sessions.streams); n != 0 {
			t.Errorf("%d streams are kept", n)
		}
		// A WebSocket has no secret, and its id is none for a stream.
		socket := w.connect("")
		socket.say(subscribeLobby)
		w.updates(by(""), says(a[0]+"."+socket.Conn().ID()+"."+a[2], "away", ""), protocol.NotSubscribed)
	})
}

// An update costs a token of the caller, whatever it is about.
func TestRateOfUpdates(t *testing.T) {
	inBubble(t, Limits{Rate: policy.Rate{PerSecond: 1, Burst: 3}}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		withMembers(t, w)
		_, bob := w.stream("bob", "lobby")
		w.updates(by("bob"), says(bob, "away", ""), "")
		w.updates(by("bob"), says("x", "away", ""), protocol.NotSubscribed)
		w.updates(by("bob"), says(bob, "", `[]`), protocol.InvalidMessage)
		w.updates(by("bob"), says(bob, "away", ""), protocol.RateLimited)
		w.updates(by("ann"), says("x", "away", ""), protocol.NotSubscribed)
	})
}

// A realm that demands authentication rejects an anonymous caller before the body counts.
func TestUpdateMustAuthenticate(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		c := w.config
		c.Realms = map[string]Realm{"": {Required: true}}
		w.apply(c)
		if e := w.registry.Streams.MayUpdate(by("")); codeOf(e) != protocol.Unauthorized {
			t.Error(e)
		}
	})
}

// The name of a node in a secret has small letters and digits, and 32 at most.
func TestNodesInSecrets(t *testing.T) {
	t.Parallel()
	proof := newProof()
	for node, want := range map[string]bool{
		"az09": true, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false,
		"": false, "A": false, "a:b": false, "a`": false, "a{": false, "a/": false, "é": false,
	} {
		if n, ok := parseSecret(node + "." + streamID(proof) + "." + proof); ok != want || ok && n.node != node {
			t.Errorf("%q: %v, %v", node, n, ok)
		}
	}
}

// While a client enters its rooms one after the other, it may be told to send the update again.
func TestUpdateBeforeEntering(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		c, e := w.dial(named("bob"), fixed)
		if e != nil {
			t.Fatal(e)
		}
		secret := w.registry.Streams.secret(c.proof)
		var early *protocol.Error
		e = c.Subscribe(t.Context(), protocol.Subscribe{Channel: "lobby"}, SubscribeOptions{Reply: func(Subscribed) []hub.Event {
			early = w.registry.Streams.Update(t.Context(), by("bob"), says(secret, "away", ""))
			return nil
		}})
		if e != nil || codeOf(early) != protocol.Unavailable || early.RetryAfter < 100*time.Millisecond || early.RetryAfter > 200*time.Millisecond {
			t.Errorf("%v, early %+v", e, early)
		}
		w.updates(by("bob"), says(secret, "away", ""), "")
	})
}

// wires hands requests to other registries.
type wires struct {
	cable
	node  string
	nodes map[string]*Registry
	sent  []string
	reply []byte // in the place of the node's; nil: that of the node
}

func (w *wires) Node() string { return w.node }

func (w *wires) Forward(_ context.Context, node string, body []byte) ([]byte, error) {
	w.sent = append(w.sent, node)
	to := w.nodes[node]
	switch {
	case w.reply != nil:
		return w.reply, nil
	case to == nil:
		return nil, fmt.Errorf("%w: nobody listens", hub.ErrUnavailable)
	}
	return to.Forwarded(body)
}

func (w *world) joins(name string, nodes map[string]*Registry) *wires {
	l := &wires{node: name, nodes: nodes}
	w.registry.WithControl(func(e hub.Executor) Control {
		e.Informed()
		return l
	})
	nodes[name] = w.registry
	return l
}

func TestPresenceOfStreamsOfOtherNodes(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, a *world) {
		b := newWorld(t, Limits{}, lobby("lobby"))
		withMembers(t, b)
		nodes := map[string]*Registry{}
		a.joins("one", nodes)
		from := b.joins("two", nodes)
		watcher := a.connect("ann")
		watcher.say(subscribeLobby)
		stream, bob := a.stream("bob", "lobby")
		watcher.wire.take()
		// Nothing that JSON would make longer than a room allows.
		long := `{"x":"` + strings.Repeat("<", 1016) + `"}`
		b.updates(by("bob"), says(bob, "away", long), "")
		settle()
		watcher.hears(presenceFrame(`"updated":["bob"],"info":{"bob":{"status":"away",` + long[1:] + `},"count":2`))
		parts := strings.Split(bob, ".")
		b.updates(by("bob"), says(parts[0]+"."+parts[1]+"."+strings.Repeat("a", 26), "away", ""), protocol.NotSubscribed)
		b.updates(by("ann"), says(bob, "away", ""), protocol.Forbidden)
		if !slices.Equal(from.sent, []string{"one", "one"}) {
			t.Errorf("asked %v", from.sent)
		}
		b.updates(by("bob"), says("gone."+parts[1]+"."+parts[2], "away", ""), protocol.Unavailable)
		b.updates(by("bob"), says("a:b."+parts[1]+"."+parts[2], "away", ""), protocol.NotSubscribed)
		if e := b.registry.Streams.Update(t.Context(), by("bob"), says("gone."+parts[1]+"."+parts[2], "away", "")); e.RetryAfter < time.Second {
			t.Errorf("retry after %v", e.RetryAfter)
		}
		stream.Conn().Close(hub.ReasonLost)
		synctest.Wait()
		b.updates(by("bob"), says(bob, "away", ""), protocol.NotSubscribed)
		from.reply = []byte("what?")
		b.updates(by("bob"), says(bob, "away", ""), protocol.Unavailable)
		from.reply = []byte(`{"code":"RATE_LIMITED","retryAfter":250}`)
		if e := b.registry.Streams.Update(t.Context(), by("bob"), says(bob, "away", "")); codeOf(e) != protocol.RateLimited || e.RetryAfter != 250*time.Millisecond {
			t.Errorf("the other node's answer becomes %+v", e)
		}
		for _, body := range []string{"", "{}", `{"newer":1}`, `{"presence":{}}`} {
			reply, err := a.registry.Forwarded([]byte(body))
			if (err == nil) != strings.Contains(body, "presence") {
				t.Errorf("%q: %s, %v", body, reply, err)
			}
		}
	})
}

// What a client is told to wait is random, and within its bounds each time.
func TestRandomWaits(t *testing.T) {
	inLobby(t, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		for range 100 {
			if e := limitReached(""); e.RetryAfter < 5*time.Second || e.RetryAfter > 30*time.Second {
				t.Errorf("a limit is reached: %v", e.RetryAfter)
			}
			if e := w.registry.Presence.notEntered("lobby"); e.RetryAfter < 100*time.Millisecond || e.RetryAfter > 200*time.Millisecond {
				t.Errorf("a client enters: %v", e.RetryAfter)
			}
		}
	})
}
