package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// abuse has a peer thrown out, n times.
func (w *world) abuse(p *Principal, n int) {
	w.t.Helper()
	for range n {
		if e := w.registry.Admission.Admit(w.t.Context(), p); e != nil {
			w.t.Fatal(e)
		}
		c, e := w.dial(p)
		if e != nil {
			w.t.Fatal(e)
		}
		for range 3 * maxViolations { // those that come too late do not count
			c.say(`{`)
		}
		synctest.Wait()
		if len(c.reasons) != 1 || c.reasons[0] != protocol.ReasonPolicy {
			w.t.Fatalf("ended with %v", c.reasons)
		}
	}
}

func TestAbusersHaveToWait(t *testing.T) {
	user, nobody := from("ann", "192.0.2.1"), from("", "2001:db8::1")
	perIP := Limits{ConnectionsPerIP: 1}
	tests := map[string]struct {
		limits       Limits
		abuser, next *Principal
		want         protocol.Code
	}{
		"a user":                             {Limits{}, user, from("ann", "192.0.2.9"), protocol.RateLimited},
		"another user":                       {perIP, user, from("bob", "192.0.2.1"), ""},
		"nobody, at the address of a user":   {perIP, user, from("", "192.0.2.1"), ""},
		"an address":                         {perIP, nobody, from("", "2001:db8::2"), protocol.RateLimited},
		"a user, at the address of nobody":   {perIP, nobody, from("ann", "2001:db8::1"), ""},
		"another address":                    {perIP, nobody, from("", "2001:db8:1::1"), ""},
		"an address where they do not count": {Limits{}, nobody, nobody, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.limits, nil, func(t *testing.T, w *world) {
				w.abuse(test.abuser, banRate.Burst)
				e := w.registry.Admission.Admit(t.Context(), test.next)
				if codeOf(e) != test.want {
					t.Fatalf("%v, want %q", e, test.want)
				}
				if e == nil {
					return
				}
				if e.RetryAfter != 10*time.Second {
					t.Errorf("to wait %v", e.RetryAfter)
				}
				time.Sleep(e.RetryAfter)
				w.abuse(test.abuser, 1)
				if e := w.registry.Admission.Admit(t.Context(), test.next); codeOf(e) != test.want {
					t.Errorf("after one more time: %v", e)
				}
			})
		})
	}
}

// Who comes back without doing it again is forgotten.
func TestAbuseIsForgotten(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		ann := from("ann", "")
		w.abuse(ann, banRate.Burst-1)
		for range 100 {
			if e := w.registry.Admission.Admit(t.Context(), ann); e != nil {
				t.Fatal(e)
			}
		}
		time.Sleep(time.Minute)
		w.abuse(ann, banRate.Burst)
	})
}

// Who only says later who it is, or is named by the app, waits as well.
func TestAbusersWaitWheneverTheyAreKnown(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		w.abuse(from("ann", ""), banRate.Burst)
		if e := w.registry.Admission.AdmitUser(t.Context(), "ann"); codeOf(e) != protocol.RateLimited {
			t.Errorf("named by the app: %v", e)
		}
		c := w.arrive(&Principal{})
		c.say(authenticateWith(token(t, claims("ann"))))
		synctest.Wait()
		if got := c.wire.take(); len(got) != 1 || !strings.Contains(got[0], `"code":"RATE_LIMITED"`) || !strings.Contains(got[0], `"retryAfter"`) {
			t.Errorf("by message: %q", got)
		}
		bob := claims("bob")
		c.say(authenticateWith(token(t, bob)))
		c.hears(authenticated(bob))
	})
}
