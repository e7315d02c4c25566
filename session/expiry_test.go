package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// The grace is never longer than promised, and never so short that a client that
// renews in the last second is late.
func TestLease(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for range 1000 {
		if d := lease(now.Add(time.Minute), now); d > time.Minute+expiryGrace || d < time.Minute+expiryGrace-expiryJitter {
			t.Fatalf("a minute became %v", d)
		}
		if d := lease(now.Add(-20*time.Second), now); d < 0 || d > 5*time.Second {
			t.Fatalf("a token that ended 20 s ago is good for %v", d)
		}
		if d := lease(now.Add(-time.Hour), now); d != 0 {
			t.Fatalf("a token that ended long ago is good for %v", d)
		}
	}
}

func TestExpiry(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		c, forever := w.arrive(w.tokenPeer(claims("ann"))), w.arrive(Peer{User: "ann"})
		time.Sleep(time.Hour + expiryGrace - expiryJitter - 2*time.Second)
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
		time.Sleep(2 * time.Minute)
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
		c.lapse(old)
		c.hears(authenticated(renewed))
		if c.timer == nil {
			t.Error("the timer of the new token is forgotten")
		}
	})
}
