package session

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A connection lives as long as its token is accepted, and not much longer.
func TestLease(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for range 1000 {
		if d := lease(now.Add(time.Minute), now); d < time.Minute+expiryGrace || d > time.Minute+expiryGrace+expiryJitter {
			t.Fatalf("a minute became %v", d)
		}
		if d := lease(now.Add(time.Millisecond), now); d < expiryGrace {
			t.Fatalf("a token that is accepted is good for %v", d)
		}
		if d := lease(now.Add(-time.Hour), now); d < 0 || d > expiryJitter {
			t.Fatalf("a token that ended long ago is good for %v", d)
		}
		if d := lease(time.Unix(99_999_999_999, 0), now); d < maxLease {
			t.Fatalf("a token that ends in the year 5138 is good for %v", d)
		}
	}
}

// The leeway holds for the life of a connection as for the check of its token: one that
// comes with a token of an issuer whose clock is behind stays, also after a renewal.
func TestLeewayOnTheLiveConnection(t *testing.T) {
	const leeway = 5 * time.Minute
	late := func(d time.Duration) map[string]any {
		return claims("ann", map[string]any{"exp": time.Now().Add(-2*time.Minute + d).Unix()})
	}
	inRealm(t, Realm{Tokens: verifier(t, auth.Config{Keys: auth.Keys{Secrets: [][]byte{secret}}, Leeway: leeway})}, nil, func(t *testing.T, w *world) {
		first := late(0)
		c := w.arrive(w.tokenPeer(first))
		time.Sleep(3*time.Minute + expiryGrace - time.Second) // exp, 2 minutes ago, and the leeway
		c.hears()
		renewed := late(time.Minute)
		c.say(authenticateWith(token(t, renewed)))
		end := time.Unix(renewed["exp"].(int64), 0).Add(leeway)
		c.hears(fmt.Sprintf(`{"type":"authenticated","id":9,"payload":{"user":"ann","expires":%d}}`, end.UnixMilli()))
		time.Sleep(time.Until(end) + expiryGrace - time.Second)
		c.hears()
		time.Sleep(expiryJitter + time.Second)
		c.hears(`{"close":4503}`)
	})
}

func TestExpiry(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c, forever := w.arrive(w.tokenPeer(claims("ann"))), w.arrive(named("ann"))
		time.Sleep(time.Hour + leeway + expiryGrace - 2*time.Second)
		c.hears()
		time.Sleep(expiryJitter + 2*time.Second)
		c.hears(`{"close":4503}`)
		if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonTokenExpired {
			t.Errorf("ended with %v", c.reasons)
		}
		forever.hears()
	})
}

func TestRenewalPutsTheEndOff(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := w.arrive(w.tokenPeer(claims("ann")))
		time.Sleep(50 * time.Minute)
		renewed := claims("ann")
		c.say(authenticateWith(token(t, renewed)))
		c.hears(authenticated(renewed))
		time.Sleep(59 * time.Minute)
		c.hears()
		w.apply(w.config) // a reload does not put it off
		time.Sleep(time.Minute + leeway + expiryGrace + expiryJitter)
		c.hears(`{"close":4503}`)
	})
}

// The timer ends with the connection.
func TestExpiryAfterTheEnd(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := w.arrive(w.tokenPeer(claims("ann")))
		c.Conn().Close(hub.ReasonNormal)
		synctest.Wait()
		c.watch(w.registry.rules.Load())
		if c.timer != nil {
			t.Error("a timer is left")
		}
	})
}

// A timer that was too far on to be stopped does not end the connection of who has
// renewed the token.
func TestLateTimer(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c := w.arrive(w.tokenPeer(claims("ann")))
		old, renewed := c.who(), claims("ann")
		c.say(authenticateWith(token(t, renewed)))
		c.expire(old)
		c.hears(authenticated(renewed))
		if c.timer == nil {
			t.Error("the timer of the new token is forgotten")
		}
	})
}
