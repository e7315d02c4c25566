package session

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestPanicCostsOneConnection(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		c, other := w.connect("ann"), w.connect("bob")
		w.broker.set(func() { w.broker.panics = true })
		c.say(`{"type":"message","id":1,"payload":{"channel":"a","content":1}}`)
		c.hears(`{"close":1011}`)
		if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonInternal {
			t.Errorf("ended with %v", c.reasons)
		}
		for _, word := range []string{`"level":"ERROR"`, "out of order", "publish.go", `"user":"ann"`, c.Conn().ID()} {
			if !strings.Contains(w.logs.String(), word) {
				t.Errorf("the log lacks %q: %s", word, w.logs)
			}
		}
		w.broker.set(func() { w.broker.panics = false })
		other.say(`{"type":"message","id":1,"payload":{"channel":"a","content":1}}`)
		other.hears(`{"type":"ack","id":1,"payload":{"channel":"a"}}`)
	})
}

func TestPanicInSubscribeIsAnError(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{kept("h", 1)}, func(t *testing.T, w *world) {
		c := w.connect("ann")
		w.broker.set(func() { w.broker.during = func() { panic("history is out of order") } })
		if e := c.subscribe(protocol.Subscribe{Channel: "h"}); codeOf(e) != protocol.Internal {
			t.Errorf("%v", e)
		}
		c.hears(`{"close":1011}`)
	})
}

func TestEndIsLogged(t *testing.T) {
	const user, shown = "ann\n\"level\":\"ERROR\"", `ann\n"level":"ERROR"`
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		c := w.connect(user)
		time.Sleep(3 * time.Second)
		c.Conn().Close(hub.ReasonSilent)
		synctest.Wait()
		var line map[string]any
		if err := json.Unmarshal([]byte(w.logs.String()), &line); err != nil {
			t.Fatalf("not one line: %v: %s", err, w.logs)
		}
		delete(line, "time")
		want := map[string]any{
			"level": "INFO", "msg": "connection ended", "connection": c.Conn().ID(), "user": shown, "transport": "websocket",
			"dialect": "native", "received": 0.0, "received_bytes": 0.0, "sent": 0.0, "sent_bytes": line["sent_bytes"],
			"duration": float64(3 * time.Second), "code": float64(hub.ReasonSilent.Code), "reason": hub.ReasonSilent.Text,
		}
		for key, v := range want {
			if line[key] != v {
				t.Errorf("%s is %v, want %v", key, line[key], v)
			}
		}
		if len(line) != len(want) {
			t.Errorf("logged %v", line)
		}
	})
}

func TestOnCloseIsCalledOnce(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		c := w.connect("")
		c.say(subscribeTo("a"))
		c.Conn().Close(hub.ReasonLost)
		c.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		if len(c.reasons) != 1 || c.reasons[0] != hub.ReasonLost {
			t.Errorf("called with %v", c.reasons)
		}
		c.wire.take()
		c.say(ping1, subscribeTo("a"), `{`)
		c.hears()
	})
}

// A command that waits for a store must not hold the reader of a connection that
// is gone.
func TestEndReleasesAWaitingCommand(t *testing.T) {
	inBubble(t, Limits{}, open("a"), func(t *testing.T, w *world) {
		first, second := w.connect("ann"), w.connect("bob")
		hold := make(chan struct{})
		w.broker.set(func() { w.broker.hold = hold })
		go first.say(subscribeTo("a")) // attaches the room, for all who want it
		synctest.Wait()
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			second.say(subscribeTo("a"))
		}()
		synctest.Wait()
		second.Conn().Close(hub.ReasonLost)
		select {
		case <-returned:
		case <-time.After(time.Minute):
			t.Error("the reader is still waiting")
		}
		close(hold)
		first.hears(`{"type":"subscribed","id":1,"payload":{"channel":"a"}}`)
	})
}

// TestLinesAreBounded closes far more connections than there may be lines.
func TestLinesAreBounded(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		const clients = 500
		for range clients {
			w.connect("").Conn().Close(hub.ReasonNormal)
		}
		synctest.Wait()
		if n := strings.Count(w.logs.String(), "connection ended"); n != linesBurst {
			t.Errorf("%d lines", n)
		}
		time.Sleep(time.Minute)
		w.connect("").Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		if !strings.Contains(w.logs.String(), fmt.Sprintf(`"omitted":%d`, clients-linesBurst)) {
			t.Error("nothing tells how many lines are missing")
		}
	})
}

// TestRejectedSubscriptionIsLogged finds out from the log why a client may not subscribe.
func TestRejectedSubscriptionIsLogged(t *testing.T) {
	inBubble(t, Limits{}, open("a:*"), func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(`{"type":"subscribe","id":1,"payload":{"channel":"b:x"}}`)
		synctest.Wait()
		log := w.logs.String()
		for _, want := range []string{`"subscription rejected"`, `"user":"ann"`, `"code":"FORBIDDEN"`, `"rule":"no room has this channel"`} {
			if !strings.Contains(log, want) {
				t.Errorf("no %s in %s", want, log)
			}
		}
		if n := w.registry.Counts().Rejected[Rejection{"subscribe", protocol.Forbidden}]; n != 1 {
			t.Errorf("%d rejections", n)
		}
	})
}

// TestRejectedTokenIsLogged finds out from the log why a token does not count. The client is told
// nothing of it, and the connection of a token that came by message stays open.
func TestRejectedTokenIsLogged(t *testing.T) {
	strict := Realm{Tokens: verifier(t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}, Audience: "rt"})}
	inRealm(t, strict, nil, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{IP: netip.MustParseAddr("192.0.2.7")})
		for _, tc := range []struct {
			claims map[string]any
			want   []string
		}{
			{claims("ann"), []string{`"code":"UNAUTHORIZED"`, `"detail":"the token lacks a required claim: aud"`}},
			{claims("ann", map[string]any{"aud": "x"}), []string{`"code":"UNAUTHORIZED"`, `"detail":"the claim aud is [\"x\"]; the option audience wants \"rt\""`}},
			{claims("ann", map[string]any{"aud": "rt", "exp": 1}), []string{`"code":"TOKEN_EXPIRED"`}},
			{claims("ann", map[string]any{"aud": "rt"}, grants("", "subscribe")), []string{`"code":"UNAUTHORIZED"`, `"detail":"granted channels: `}},
		} {
			before := len(w.logs.String())
			c.say(authenticateWith(token(t, tc.claims)))
			synctest.Wait()
			got := w.logs.String()[before:]
			for _, want := range append(tc.want, `"msg":"authentication rejected"`, `"address":"192.0.2.7"`, `"connection":"`+c.Conn().ID()+`"`) {
				if !strings.Contains(got, want) {
					t.Errorf("no %s in %s", want, got)
				}
			}
			if strings.Contains(got, token(t, tc.claims)[:40]) {
				t.Errorf("the token is in the log: %s", got)
			}
		}
		before := len(w.logs.String())
		c.say(authenticateWith(token(t, claims("ann", map[string]any{"aud": "rt"}))))
		synctest.Wait()
		if got := w.logs.String()[before:]; strings.Contains(got, "rejected") {
			t.Errorf("a good token: %s", got)
		}
	})
}

// The log tells the inbox of another user from a room that is for other users.
func TestRejectedInboxIsLogged(t *testing.T) {
	rooms := []policy.Room{{Pattern: "inbox:{user}", Subscribe: policy.Users}, {Pattern: "staff:*", Subscribe: policy.Granted}}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		c := w.connect("ann")
		c.say(`{"type":"subscribe","id":1,"payload":{"channel":"inbox:bob"}}`)
		c.say(`{"type":"subscribe","id":2,"payload":{"channel":"staff:1"}}`)
		synctest.Wait()
		log := w.logs.String()
		for _, want := range []string{
			`"rule":"room inbox:{user}: subscribe to users, and the channel belongs to another user or claim"`,
			`"rule":"room staff:*: subscribe to granted"`,
		} {
			if !strings.Contains(log, want) {
				t.Errorf("no %s in %s", want, log)
			}
		}
	})
}

// The rule of a pattern is not that of the channel which its text would be.
func TestRejectedPatternIsLogged(t *testing.T) {
	rooms := []policy.Room{{Pattern: "news:*", Subscribe: policy.Anyone}, spanned("orders:*", policy.Users), {Pattern: "chat", Subscribe: policy.Anyone}}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		c := w.connect("")
		for pattern, rule := range map[string]string{
			"news:*":     "the block 'room news:*' (number 1 of 3) has all channels of the pattern, but no 'subscribe_pattern'",
			"orders:*":   "the block 'room orders:*' (number 2 of 3) says 'users' for subscribe_pattern, and the client is anonymous",
			"c*":         "the block 'room chat' (number 3 of 3) has some channels of the pattern, but not all; use a narrower pattern",
			"nowhere:*":  "no 'room' block has channels of the pattern",
			"news:day:*": "the block 'room news:*' (number 1 of 3) has all channels of the pattern, but no 'subscribe_pattern'",
		} {
			before := len(w.logs.String())
			c.say(subscribePattern(pattern))
			synctest.Wait()
			if got := w.logs.String()[before:]; !strings.Contains(got, `"subscription rejected"`) || !strings.Contains(got, `"rule":"`+rule+`"`) {
				t.Errorf("%s: %s", pattern, got)
			}
			before = len(w.logs.String())
			w.registry.LogRejected(named(""), pattern, protocol.Errorf(protocol.Forbidden, "no"))
			if got := w.logs.String()[before:]; !strings.Contains(got, `"connection rejected"`) || !strings.Contains(got, `"rule":"`+rule+`"`) {
				t.Errorf("a stream of %s: %s", pattern, got)
			}
		}
	})
}

// A subscription with history names the rule about the history if that one decides, and no rule if the
// configuration says nothing against it.
func TestRejectedHistoryIsLogged(t *testing.T) {
	rooms := []policy.Room{{Pattern: "a", Subscribe: policy.Anyone, HistoryAccess: policy.Users, History: hub.Retention{Size: 1}}}
	inBubble(t, Limits{}, rooms, func(t *testing.T, w *world) {
		c := w.connect("")
		c.say(`{"type":"subscribe","id":1,"payload":{"channel":"a","history":1}}`)
		synctest.Wait()
		if got := w.logs.String(); !strings.Contains(got, `"subscription rejected"`) || !strings.Contains(got, `"rule":"room a: read the history of users"`) {
			t.Error(got)
		}
		before := len(w.logs.String())
		w.registry.LogRejected(named("ann"), "a", protocol.Errorf(protocol.Unauthorized, "authenticate first"))
		if got := w.logs.String()[before:]; !strings.Contains(got, `"connection rejected"`) || strings.Contains(got, `"rule"`) {
			t.Error(got)
		}
	})
}

// Only what the rules have decided names a rule, and only an error with a detail has one.
func TestRejectedSubscriptionNamesTheRuleThatDecides(t *testing.T) {
	rooms := []policy.Room{{Pattern: "staff", Subscribe: policy.Users}, {Pattern: "a", Subscribe: policy.Anyone}, {Pattern: "b", Subscribe: policy.Anyone}}
	inBubble(t, Limits{Channels: 1}, rooms, func(t *testing.T, w *world) {
		c := w.connect("")
		line := func(channel string) string {
			before := len(w.logs.String())
			c.say(subscribeTo(channel))
			synctest.Wait()
			return w.logs.String()[before:]
		}
		if got := line("staff"); !strings.Contains(got, `"code":"UNAUTHORIZED"`) || !strings.Contains(got, `"rule":"room staff: subscribe to users"`) || strings.Contains(got, `"detail"`) {
			t.Errorf("without a user: %s", got)
		}
		line("a")
		if got := line("b"); !strings.Contains(got, `"code":"LIMIT_EXCEEDED"`) || strings.Contains(got, `"rule"`) || strings.Contains(got, `"detail"`) {
			t.Errorf("over a limit: %s", got)
		}
		e := protocol.Errorf(protocol.Forbidden, "no")
		e.Detail = "the app says no"
		before := len(w.logs.String())
		w.registry.LogRejected(named("ann"), "", e)
		if got := w.logs.String()[before:]; !strings.Contains(got, `"detail":"the app says no"`) {
			t.Errorf("with a detail: %s", got)
		}
	})
}

// A rejected stream has several channels. The line has the one that decided, and its rule.
func TestRejectedStreamIsLogged(t *testing.T) {
	inBubble(t, Limits{}, []policy.Room{{Pattern: "staff:*", Subscribe: policy.Users}}, func(t *testing.T, w *world) {
		for channel, rule := range map[string]string{"staff:1": "room staff:*: subscribe to users", "new:today": "no room has this channel"} {
			before := len(w.logs.String())
			w.registry.LogRejected(named(""), channel, w.registry.MaySubscribe(Caller{Principal: named("")}, channel))
			got := w.logs.String()[before:]
			if !strings.Contains(got, `"connection rejected"`) || !strings.Contains(got, `"channel":"`+channel+`"`) || !strings.Contains(got, `"rule":"`+rule+`"`) {
				t.Errorf("%s: %s", channel, got)
			}
		}
	})
}

// TestFollow writes what a user does to the log while the user is followed.
func TestFollow(t *testing.T) {
	inBubble(t, Limits{}, open("a:*"), func(t *testing.T, w *world) {
		w.registry.Follow(Followed{User: "ann"}, time.Minute)
		ann, bob := w.connect("ann"), w.connect("bob")
		for _, c := range []*client{ann, bob} {
			c.say(`{"type":"subscribe","id":1,"payload":{"channel":"a:1"}}`)
			c.say(`{"type":"subscribe","id":2,"payload":{"channel":"b:1"}}`)
		}
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(w.logs.String()), "\n")
		n := 0
		for _, line := range lines {
			if !strings.Contains(line, "followed: ") {
				continue
			}
			if n++; !strings.Contains(line, `"user":"ann"`) {
				t.Errorf("a line about somebody else: %s", line)
			}
		}
		if n != 5 { // connected, subscribed, rejected, two messages
			t.Errorf("%d lines: %s", n, w.logs)
		}
		time.Sleep(time.Minute)
		before := w.logs.String()
		ann.say(`{"type":"ping","id":3,"payload":{}}`)
		synctest.Wait()
		if w.logs.String() != before {
			t.Error("followed for ever")
		}
	})
}
