package session

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestRevoke(t *testing.T) {
	cases := map[string]struct {
		revoke func() auth.Revocation
		// Which of the connections end: ann with a token, ann with another one, ann
		// without a token, bob with a token, somebody.
		ends [5]bool
		// What becomes of another connection with ann's first token.
		again protocol.Code
		// And of ann without a token.
		tokenless protocol.Code
	}{
		"user":              {func() auth.Revocation { return auth.Revocation{User: "ann"} }, [5]bool{true, true, true}, protocol.Unauthorized, protocol.Unauthorized},
		"user, before":      {func() auth.Revocation { return auth.Revocation{User: "ann", Before: time.Now()} }, [5]bool{true, true, true}, protocol.Unauthorized, ""},
		"user, long before": {func() auth.Revocation { return auth.Revocation{User: "ann", Before: time.Now().Add(-time.Hour)} }, [5]bool{}, "", ""},
		"token":             {func() auth.Revocation { return auth.Revocation{ID: "t1"} }, [5]bool{true}, protocol.Unauthorized, ""},
		"everybody, before": {func() auth.Revocation { return auth.Revocation{Before: time.Now()} }, [5]bool{true, true, false, true}, protocol.Unauthorized, ""},
		"somebody else":     {func() auth.Revocation { return auth.Revocation{User: "cleo"} }, [5]bool{}, "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
				id := func(s string) map[string]any { return map[string]any{"jti": s} }
				first, bob := w.tokenPeer(claims("ann", id("t1"))), w.tokenPeer(claims("bob", id("t3")))
				all := []*client{w.arrive(first), w.arrive(w.tokenPeer(claims("ann", id("t2")))), w.arrive(named("ann")), w.arrive(bob), w.arrive(&Principal{})}
				time.Sleep(time.Second)
				done, e := w.registry.Revocations.Revoke(t.Context(), tc.revoke())
				if e != nil {
					t.Fatal(e)
				}
				ended := done.Connections
				for i, c := range all {
					if tc.ends[i] {
						ended--
						c.hears(`{"close":4401}`)
					} else {
						c.hears()
					}
				}
				if ended != 0 {
					t.Errorf("%d connections more were counted than have ended", ended)
				}
				for p, want := range map[*Principal]protocol.Code{first: tc.again, named("ann"): tc.tokenless} {
					if e := w.registry.Admission.Admit(t.Context(), p); codeOf(e) != want {
						t.Errorf("admitted: %v, want %q", e, want)
					}
					if _, e := w.dial(p); codeOf(e) != want {
						t.Errorf("opened: %v, want %q", e, want)
					}
				}
			})
		})
	}
}

// What was revoked can not be used to authenticate either, and a revocation ends: when a
// token that expires at its end is not accepted any more.
func TestAuthenticateRevoked(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := w.arrive(&Principal{})
		_, _ = w.registry.Revocations.Revoke(t.Context(), auth.Revocation{User: "ann", Until: time.Now().Add(10 * time.Minute)})
		ann := claims("ann")
		c.say(authenticateWith(token(t, ann)))
		c.hears(failure("9", protocol.Unauthorized))
		time.Sleep(10*time.Minute + leeway - time.Second)
		c.say(authenticateWith(token(t, ann)))
		c.hears(failure("9", protocol.Unauthorized))
		time.Sleep(2 * time.Second)
		c.say(authenticateWith(token(t, ann)))
		c.hears(authenticated(ann))
	})
}

// However the two meet, nobody stays with an identity that was taken back.
func TestRevokeAgainstOpen(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		for i := range 200 {
			user := strconv.Itoa(i)
			opened := make(chan *client, 1)
			go func() {
				c, _ := w.dial(named(user))
				opened <- c
			}()
			_, _ = w.registry.Revocations.Revoke(t.Context(), auth.Revocation{User: user})
			c := <-opened
			synctest.Wait()
			if c.Session != nil && (len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonUnauthorized) {
				t.Fatalf("ended with %v", c.reasons)
			}
		}
	})
}

// meddler is the dialect of the tests, which does something when it first encodes.
type meddler struct {
	hub.Encoder
	once sync.Once
	do   func()
}

func (m *meddler) AppendEvent(dst []byte, ev hub.Event) []byte {
	m.once.Do(m.do)
	return m.Encoder.AppendEvent(dst, ev)
}

// A revocation that has looked for connections before this one had shown is found by
// the one who opens it.
func TestRevokedWhileOpening(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		late := func() { w.registry.Revocations.list.Add(auth.Revocation{User: "ann"}, time.Now()) }
		c, e := w.dial(named("ann"), func(o *Options) { o.Encoder = &meddler{Encoder: native, do: late} })
		if e != nil {
			t.Fatal(e)
		}
		synctest.Wait()
		if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonUnauthorized {
			t.Errorf("ended with %v", c.reasons)
		}
	})
}

// A revocation lasts for the leeway longer than its tokens, unless there is no later time.
func TestRevocationLastsForTheLeeway(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		r, now := &w.registry.Revocations, time.Now()
		if _, e := r.Revoke(t.Context(), auth.Revocation{ID: "t1", Until: now.Add(time.Minute)}); e != nil {
			t.Fatal(e)
		}
		last := time.Date(lastYear, time.December, 31, 23, 59, 59, 0, time.UTC)
		if _, e := r.Revoke(t.Context(), auth.Revocation{ID: "t2", Until: last}); e != nil {
			t.Errorf("until the last second: %v", e)
		}
		long := w.registry.rules.Load().leeway()
		if long <= 0 {
			t.Fatal("no leeway")
		}
		time.Sleep(time.Minute + long - 1)
		if !r.Revoked(auth.Identity{ID: "t1", Expires: now.Add(time.Minute)}) {
			t.Error("a token that the leeway still accepts is not revoked any more")
		}
	})
}
