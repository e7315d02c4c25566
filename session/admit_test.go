package session

import (
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func from(user, ip string) *Principal {
	p := named(user)
	if ip != "" {
		p.IP = netip.MustParseAddr(ip)
	}
	return p
}

func codeOf(e *protocol.Error) protocol.Code {
	if e == nil {
		return ""
	}
	return e.Code
}

func TestConnectionLimits(t *testing.T) {
	const full = protocol.LimitExceeded
	tests := map[string]struct {
		limits Limits
		there  []*Principal
		next   *Principal
		want   protocol.Code
	}{
		"none":                      {Limits{}, []*Principal{from("ann", "192.0.2.1"), from("ann", "192.0.2.1")}, from("ann", "192.0.2.1"), ""},
		"all":                       {Limits{Connections: 2}, []*Principal{from("ann", ""), from("", "192.0.2.1")}, from("bob", ""), full},
		"all but one":               {Limits{Connections: 3}, []*Principal{from("ann", ""), from("", "192.0.2.1")}, from("bob", ""), ""},
		"of a user":                 {Limits{ConnectionsPerUser: 1}, []*Principal{from("ann", "192.0.2.1")}, from("ann", "192.0.2.2"), full},
		"of another user":           {Limits{ConnectionsPerUser: 1}, []*Principal{from("ann", "192.0.2.1")}, from("bob", "192.0.2.1"), ""},
		"anonymous is no user":      {Limits{ConnectionsPerUser: 1}, []*Principal{from("", "192.0.2.1")}, from("", "192.0.2.1"), ""},
		"of an address":             {Limits{ConnectionsPerIP: 1}, []*Principal{from("ann", "192.0.2.1")}, from("bob", "192.0.2.1"), full},
		"of another address":        {Limits{ConnectionsPerIP: 1}, []*Principal{from("ann", "192.0.2.1")}, from("bob", "192.0.2.2"), ""},
		"the same, written as IPv6": {Limits{ConnectionsPerIP: 1}, []*Principal{from("", "192.0.2.1")}, from("", "::ffff:192.0.2.1"), full},
		"of an IPv6 network":        {Limits{ConnectionsPerIP: 1}, []*Principal{from("", "2001:db8:1:2::1")}, from("", "2001:db8:1:2:ffff::9"), full},
		"of the next IPv6 network":  {Limits{ConnectionsPerIP: 1}, []*Principal{from("", "2001:db8:1:2::1")}, from("", "2001:db8:1:3::1"), ""},
		"with a zone":               {Limits{ConnectionsPerIP: 1}, []*Principal{from("", "fe80::1%eth0")}, from("", "fe80::2%eth1"), full},
		"without an address":        {Limits{ConnectionsPerIP: 1}, []*Principal{from("", ""), from("", "")}, from("", ""), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.limits, nil, func(t *testing.T, w *world) {
				var first *client
				for _, p := range test.there {
					c, e := w.dial(p)
					if e != nil {
						t.Fatal(e)
					}
					first = c
				}
				if got := codeOf(w.registry.Admission.Admit(t.Context(), test.next)); got != test.want {
					t.Errorf("Admit: %q, want %q", got, test.want)
				}
				_, e := w.dial(test.next)
				if got := codeOf(e); got != test.want {
					t.Errorf("Open: %q, want %q", got, test.want)
				}
				if e != nil && (e.RetryAfter < 5*time.Second || e.RetryAfter >= 30*time.Second) {
					t.Errorf("RetryAfter is %v", e.RetryAfter)
				}
				first.Conn().Close(hub.ReasonNormal)
				first.Conn().Close(hub.ReasonNormal)
				synctest.Wait()
				if test.want == "" {
					return
				}
				if _, e = w.dial(test.next); e != nil {
					t.Errorf("with a place free: %v", e)
				}
				if _, e = w.dial(test.next); e == nil {
					t.Error("one end freed two places")
				}
			})
		})
	}
}

// Whatever way sessions go, nothing of them stays counted.
func TestNothingStaysCounted(t *testing.T) {
	inBubble(t, Limits{Connections: 3, ConnectionsPerUser: 2, ConnectionsPerIP: 2}, open("a"), func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				c, e := w.dial(from("ann", "2001:db8::1"))
				if e != nil {
					return
				}
				c.say(`{"type":"subscribe","payload":{"channel":"a"}}`)
				c.Conn().Close(hub.ReasonLost)
			})
		}
		all.Wait()
		synctest.Wait()
		r := w.registry
		r.sessions.mu.Lock()
		defer r.sessions.mu.Unlock()
		if r.sessions.census.total != 0 || len(r.sessions.census.users) != 0 || len(r.sessions.census.nets) != 0 || len(r.sessions.all) != 0 {
			t.Errorf("left behind: %+v, %d sessions", r.sessions.census, len(r.sessions.all))
		}
	})
}

func TestLeavingTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	r := New(nil)
	s, other, p := new(Session), new(Session), from("ann", "192.0.2.1")
	for _, s := range []*Session{s, other} {
		s.principal.Store(p)
		if e := r.sessions.enter(s); e != nil {
			t.Fatal(e)
		}
	}
	r.sessions.leave(s)
	r.sessions.leave(s)
	if r.sessions.census.total != 1 || r.sessions.census.users["ann"] != 1 {
		t.Errorf("counted %+v", r.sessions.census)
	}
}

func TestHandshakeRate(t *testing.T) {
	limits := Limits{Handshakes: policy.Rate{PerSecond: 1, Burst: 2}}
	inBubble(t, limits, nil, func(t *testing.T, w *world) {
		p := from("ann", "192.0.2.1")
		for range 2 {
			if e := w.registry.Admission.Admit(t.Context(), p); e != nil {
				t.Fatal(e)
			}
		}
		seen := make(map[time.Duration]bool)
		for range 50 {
			e := w.registry.Admission.Admit(t.Context(), p)
			if codeOf(e) != protocol.RateLimited || e.RetryAfter < time.Second || e.RetryAfter >= 10*time.Second {
				t.Fatalf("%v, RetryAfter %v", e, e.RetryAfter)
			}
			seen[e.RetryAfter] = true
		}
		if len(seen) < 40 {
			t.Errorf("50 clients were given %d different times", len(seen))
		}
		// Open takes no token: the handshake had its own.
		if _, e := w.dial(p); e != nil {
			t.Error(e)
		}
		time.Sleep(time.Second)
		if e := w.registry.Admission.Admit(t.Context(), p); e != nil {
			t.Error(e)
		}
	})
}

// An address, or an IPv6 network, has a rate of its own. One without an address has none.
func TestHandshakeRateOfAnAddress(t *testing.T) {
	limits := Limits{HandshakesPerIP: policy.Rate{PerSecond: 1, Burst: 3}}
	inBubble(t, limits, nil, func(t *testing.T, w *world) {
		knock := func(ips ...string) (refused int) {
			for _, ip := range ips {
				switch e := w.registry.Admission.Knock(from("", ip).IP); {
				case e == nil:
				case e.Code != protocol.RateLimited, e.RetryAfter < time.Second, e.RetryAfter >= 10*time.Second:
					t.Errorf("%+v", e)
				default:
					refused++
				}
			}
			return refused
		}
		for _, same := range [][]string{
			{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"},
			{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2::3"},
		} {
			if n := knock(same...); n != 2 {
				t.Errorf("%v: %d of 5 refused", same, n)
			}
		}
		if n := knock("192.0.2.2", "2001:db8:1:3::1", "", "", "", "", ""); n != 0 {
			t.Errorf("%d others refused", n)
		}
		time.Sleep(time.Second)
		if n := knock("192.0.2.1", "192.0.2.1"); n != 1 {
			t.Errorf("%d of 2 refused after a second", n)
		}
		if w.registry.Admission.knocks.limit != maxCallers {
			t.Error("the addresses have no bound")
		}
		w.registry.Admission.knocks.limit = 100
		for i := range 1000 {
			knock(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String())
		}
		if n := len(w.registry.Admission.knocks.all); n > 100 {
			t.Errorf("%d addresses are remembered", n)
		}
	})
}

// The rate belongs to all. A client that may not come in anyway can not use it up.
func TestRefusedHandshakesTakeNoTurn(t *testing.T) {
	limits := Limits{ConnectionsPerIP: 1, Handshakes: policy.Rate{PerSecond: 1, Burst: 2}}
	inBubble(t, limits, nil, func(t *testing.T, w *world) {
		crowd := from("", "192.0.2.1")
		if e := w.registry.Admission.Admit(t.Context(), crowd); e != nil {
			t.Fatal(e)
		}
		if _, e := w.dial(crowd); e != nil {
			t.Fatal(e)
		}
		for range 100 {
			if e := w.registry.Admission.Admit(t.Context(), crowd); codeOf(e) != protocol.LimitExceeded {
				t.Fatalf("%v", e)
			}
		}
		if e := w.registry.Admission.Admit(t.Context(), from("", "192.0.2.2")); e != nil {
			t.Errorf("another client: %v", e)
		}
	})
}

func TestOpenOnAClosedHub(t *testing.T) {
	inBubble(t, Limits{Connections: 1}, nil, func(t *testing.T, w *world) {
		w.hub.Drain(t.Context(), hub.DrainPlan{})
		for range 2 { // the second would find no place if the first had kept it
			_, e := w.dial(from("ann", ""))
			if codeOf(e) != protocol.Unavailable || e.RetryAfter < time.Second {
				t.Fatalf("%v", e)
			}
		}
	})
}
