package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func users(pattern string) policy.Room {
	return policy.Room{Pattern: pattern, Subscribe: policy.Users, Publish: policy.Users}
}

func granted(pattern string) policy.Room {
	return policy.Room{Pattern: pattern, Subscribe: policy.Granted, Publish: policy.Granted}
}

// grants is the claim that opens channels.
func grants(pattern string, allow ...string) map[string]any {
	return map[string]any{"channels": []map[string]any{{"pattern": pattern, "allow": allow}}}
}

func subscribed(channel string) string {
	return `{"type":"subscribed","id":1,"payload":{"channel":"` + channel + `"}}`
}

func TestAuthenticate(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{users("a"), users("inbox:{user}"), users("team:{claim.team}")}, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{})
		c.say(subscribeTo("a"))
		c.hears(failure("1", protocol.Unauthorized))
		ann := claims("ann", map[string]any{"team": "blue"})
		c.say(authenticateWith(token(t, ann)))
		c.hears(authenticated(ann))
		c.say(subscribeTo("a"), subscribeTo("inbox:ann"), subscribeTo("team:blue"), subscribeTo("team:red"), subscribeTo("inbox:bob"))
		c.hears(subscribed("a"), subscribed("inbox:ann"), subscribed("team:blue"), failure("1", protocol.Forbidden), failure("1", protocol.Forbidden))
		c.say(`{"type":"message","payload":{"channel":"a","content":1}}`)
		c.hears(`{"type":"message","payload":{"channel":"a","sender":"ann","content":1}}`)
		c.Conn().Close(protocol.ReasonForbidden)
		synctest.Wait()
		if !strings.Contains(w.logs.String(), `"user":"ann"`) {
			t.Error("the end is logged without the user")
		}
	})
}

// A token without a subject opens channels to somebody who stays anonymous.
func TestAuthenticateAnonymously(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{granted("g:*"), users("a")}, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{})
		guest := claims("", grants("g:1", "subscribe"))
		c.say(authenticateWith(token(t, guest)), subscribeTo("g:1"), subscribeTo("g:2"), subscribeTo("a"))
		c.hears(authenticated(guest), subscribed("g:1"), failure("1", protocol.Forbidden), failure("1", protocol.Unauthorized))
		ann := claims("ann")
		c.say(authenticateWith(token(t, ann)))
		c.hears(authenticated(ann), revoked("g:1", protocol.Forbidden))
	})
}

func TestAuthenticateRefused(t *testing.T) {
	good := func(t *testing.T) string { return token(t, claims("ann")) }
	of := func(user string, others map[string]any) func(*testing.T) string {
		return func(t *testing.T) string { return token(t, claims(user, others)) }
	}
	cases := map[string]struct {
		peer  *Principal
		token func(*testing.T) string
		code  protocol.Code
	}{
		"no token":         {&Principal{}, func(*testing.T) string { return "no.to.ken" }, protocol.Unauthorized},
		"forged":           {&Principal{}, func(t *testing.T) string { return good(t)[:100] + "AAAA" }, protocol.Unauthorized},
		"expired":          {&Principal{}, of("ann", map[string]any{"exp": 900_000_000}), protocol.TokenExpired},
		"bad grant":        {&Principal{}, of("ann", grants("a:{user}", "subscribe")), protocol.Unauthorized},
		"another user":     {named("bob"), good, protocol.Forbidden},
		"no user any more": {named("bob"), of("", nil), protocol.Forbidden},
		"another realm":    {&Principal{Subject: policy.Subject{User: "ann"}, Realm: "gone"}, good, protocol.Unauthorized},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inRealm(t, Realm{}, open("a"), func(t *testing.T, w *world) {
				c := w.arrive(tc.peer)
				token := tc.token(t)
				c.say(authenticateWith(token))
				c.hears(failure("9", tc.code))
				c.say(subscribeTo("a"))
				c.hears(subscribed("a")) // it lives on as what it was
				if user := c.who().User; user != tc.peer.User {
					t.Errorf("the user is %q", user)
				}
				if strings.Contains(w.logs.String(), token[:5]) {
					t.Error("the token was logged")
				}
			})
		})
	}
}

func TestAuthenticateWhenKeysAreAway(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		w.withRealm(Realm{Tokens: verifier(t, auth.Config{JWKS: "https://example.com/keys"})}) // never started
		c := w.arrive(&Principal{})
		for range 2 * maxViolations { // no offence
			c.say(authenticateWith("a.b.c"))
			synctest.Wait()
			got := c.wire.take()
			if len(got) != 1 || !strings.Contains(got[0], `"code":"UNAVAILABLE"`) || !strings.Contains(got[0], `"retryAfter":`) {
				t.Fatalf("heard %q", got)
			}
		}
	})
}

// Whoever tries tokens out is sent away.
func TestAuthenticateTooOften(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{})
		for range maxViolations + 1 {
			c.say(authenticateWith("a.b.c"))
		}
		synctest.Wait()
		if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonPolicy {
			t.Errorf("ended with %v", c.reasons)
		}
	})
}

// A renewed token counts from then on, with what it grants and what it does not.
func TestRenewal(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{granted("g:*")}, func(t *testing.T, w *world) {
		c := w.arrive(w.tokenPeer(claims("ann", grants("g:1", "subscribe"))))
		c.say(subscribeTo("g:1"), subscribeTo("g:2"))
		c.hears(subscribed("g:1"), failure("1", protocol.Forbidden))
		renewed := claims("ann", grants("g:2", "subscribe"))
		c.say(authenticateWith(token(t, renewed)), subscribeTo("g:2"))
		c.hears(authenticated(renewed), revoked("g:1", protocol.Forbidden), subscribed("g:2"))
	})
}

// The limit of a user's connections also holds for those who say late who they are.
func TestAuthenticateLimit(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		w.config.Limits.ConnectionsPerUser = 1
		w.apply(w.config)
		first, second := w.arrive(&Principal{}), w.arrive(&Principal{})
		ann := claims("ann")
		first.say(authenticateWith(token(t, ann)), authenticateWith(token(t, ann)))
		first.hears(authenticated(ann), authenticated(ann))
		second.say(authenticateWith(token(t, ann)))
		synctest.Wait()
		if got := second.wire.take(); len(got) != 1 || !strings.Contains(got[0], `"code":"LIMIT_EXCEEDED"`) {
			t.Errorf("heard %q", got)
		}
		first.Conn().Close(protocol.ReasonForbidden)
		synctest.Wait()
		second.say(authenticateWith(token(t, ann)))
		second.hears(authenticated(ann))
		if w.registry.sessions.census.users["ann"] != 1 || len(w.registry.sessions.census.users) != 1 || w.registry.sessions.census.total != 1 {
			t.Errorf("counted %+v", w.registry.sessions.census)
		}
	})
}

func TestRequiredRealm(t *testing.T) {
	inRealm(t, Realm{Required: true, Deadline: 5 * time.Second}, open("a"), func(t *testing.T, w *world) {
		late, silent, known := w.arrive(&Principal{}), w.arrive(&Principal{}), w.arrive(named("bob"))
		late.say(subscribeTo("a"), ping1)
		late.hears(failure("1", protocol.Unauthorized), pong1)
		if e := late.subscribe(protocol.Subscribe{Channel: "a"}); codeOf(e) != protocol.Unauthorized {
			t.Errorf("subscribed: %v", e)
		}
		ann := claims("ann")
		late.say(authenticateWith(token(t, ann)), subscribeTo("a"))
		late.hears(authenticated(ann), subscribed("a"))
		known.say(subscribeTo("a"))
		known.hears(subscribed("a"))
		time.Sleep(5 * time.Second)
		silent.hears(`{"close":4401}`)
		late.hears()
		known.hears()
	})
}

// A reload that makes authentication mandatory, or optional, holds for those who
// are there.
func TestRequiredAfterReload(t *testing.T) {
	inRealm(t, Realm{}, open("a"), func(t *testing.T, w *world) {
		c, reprieved := w.arrive(&Principal{}), w.arrive(&Principal{})
		c.say(subscribeTo("a"))
		c.hears(subscribed("a"))
		w.withRealm(Realm{Required: true})
		c.hears(revoked("a", protocol.Unauthorized))
		time.Sleep(9 * time.Second)
		ann := claims("ann")
		c.say(authenticateWith(token(t, ann)))
		c.hears(authenticated(ann))
		w.withRealm(Realm{})
		time.Sleep(time.Minute)
		c.hears()
		reprieved.say(subscribeTo("a"))
		reprieved.hears(subscribed("a"))
		w.withRealm(Realm{Required: true})
		reprieved.hears(revoked("a", protocol.Unauthorized))
		time.Sleep(10 * time.Second)
		reprieved.hears(`{"close":4401}`)
	})
}

// Who authenticates late leaves as one and enters as the other, with what the
// client has said of itself.
func TestAuthenticateAndPresence(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		watcher, c := w.arrive(named("watcher")), w.arrive(&Principal{})
		watcher.say(subscribeLobby)
		c.say(`{"type":"subscribe","payload":{"channel":"lobby","status":"busy"}}`, `{"type":"presence","payload":{"channel":"lobby","info":{"mood":"good"}}}`)
		settle()
		watcher.wire.take()
		c.wire.take()
		guest := c.Conn().ID()
		ann := claims("ann", map[string]any{"info": map[string]any{"name": "Ann"}})
		c.say(authenticateWith(token(t, ann)))
		settle()
		member := `"info":{"ann":{"status":"busy","mood":"good","name":"Ann"}}`
		watcher.hears(presenceFrame(`"entered":["ann"],"left":["` + guest + `"],` + member + `,"count":2`))
		c.say(`{"type":"unsubscribe","payload":{"channel":"lobby"}}`)
		settle()
		watcher.hears(presenceFrame(`"left":["ann"],"count":1`))
	})
}

// A renewed token changes what the others see of the member.
func TestRenewalAndPresence(t *testing.T) {
	inRealm(t, Realm{}, []policy.Room{lobby("lobby")}, func(t *testing.T, w *world) {
		name := func(s string) map[string]any { return map[string]any{"info": map[string]any{"name": s}} }
		c := w.arrive(w.tokenPeer(claims("ann", name("Ann"))))
		c.say(subscribeLobby)
		settle()
		c.wire.take()
		for _, step := range []struct {
			claims map[string]any
			want   []string
		}{
			{claims("ann", name("Ann")), nil},
			{claims("ann", name("Anna")), []string{presenceFrame(`"updated":["ann"],"info":{"ann":{"name":"Anna"}},"count":1`)}},
			{claims("ann"), []string{presenceFrame(`"updated":["ann"],"count":1`)}},
		} {
			c.say(authenticateWith(token(t, step.claims)))
			settle()
			c.hears(append([]string{authenticated(step.claims)}, step.want...)...)
		}
	})
}

// Each operation checks by itself that the client has authenticated: a dialect that
// forgets to ask earlier opens nothing.
func TestOperationsOfUnknownClients(t *testing.T) {
	inRealm(t, Realm{Required: true}, open("a"), func(t *testing.T, w *world) {
		c := w.arrive(&Principal{})
		for name, operation := range map[string]func() *protocol.Error{
			"subscribe":   func() *protocol.Error { return c.subscribe(protocol.Subscribe{Channel: "a"}) },
			"unsubscribe": func() *protocol.Error { return c.Unsubscribe("a", nil) },
			"update":      func() *protocol.Error { return c.Update("a", protocol.Appearance{Status: "away"}) },
			"members":     func() *protocol.Error { return c.Members("a", "", nil) },
			"publish": func() *protocol.Error {
				_, e := c.Publish(t.Context(), protocol.Publish{Channel: "a", Content: []byte("1")})
				return e
			},
			"history": func() *protocol.Error {
				_, e := c.History(t.Context(), protocol.History{Channel: "a"})
				return e
			},
			"change": func() *protocol.Error {
				_, e := c.Change(t.Context(), protocol.Change{Channel: "a"}, nil)
				return e
			},
		} {
			if e := operation(); codeOf(e) != protocol.Unauthorized {
				t.Errorf("%s: %v", name, e)
			}
		}
	})
}
