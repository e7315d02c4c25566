package session

import (
	"net/netip"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// reserved is a request that holds n bytes, besides what every request costs.
func (w *world) reserved(c Caller, n int) (*Reservation, *protocol.Error) {
	w.t.Helper()
	v, e := w.registry.Memory.Reserve(c)
	if e == nil {
		e = v.Add(n)
	}
	return v, e
}

func TestRequestMemory(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	w := newWorld(t, Limits{RequestMemory: 10 * mib, RequestMemoryPerIP: 4 * mib})
	from := func(ip string) Caller { return Caller{Principal: &Principal{IP: netip.MustParseAddr(ip)}} }
	want := func(c Caller, n int, code protocol.Code) *Reservation {
		t.Helper()
		v, e := w.reserved(c, n)
		if codeOf(e) != code || e != nil && e.RetryAfter <= 0 {
			t.Errorf("%v: %v, want %q", c.who().IP, e, code)
		}
		return v
	}
	one := want(from("192.0.2.1"), 3*mib, "")
	refused := want(from("192.0.2.1"), mib, protocol.RateLimited)
	refused.Release()
	want(from("2001:db8::1"), 3*mib, "")
	want(from("2001:db8::2"), mib, protocol.RateLimited).Release() // of the same network
	want(from("192.0.2.2"), 3*mib, "")
	want(from("192.0.2.3"), mib, protocol.Unavailable).Release()
	want(Caller{Principal: &Principal{IP: netip.MustParseAddr("192.0.2.1")}, App: true}, 100*mib, "")
	want(Caller{}, mib, protocol.Unavailable).Release()
	one.Release()
	one.Release()
	want(from("192.0.2.1"), 3*mib, "")
}

// Everything is given back.
func TestRequestMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{RequestMemory: 1 << 20, RequestMemoryPerIP: 1 << 20})
	c := Caller{Principal: &Principal{IP: netip.MustParseAddr("192.0.2.1")}}
	for range 1000 {
		v, e := w.reserved(c, 900<<10)
		if e != nil {
			t.Fatal(e)
		}
		v.Release()
	}
	if all := &w.registry.Memory; all.total != 0 || len(all.nets) != 0 {
		t.Errorf("%d bytes of %d addresses are left", all.total, len(all.nets))
	}
}

// A request that needs more than the limit gets it when it is alone: what it may need is
// bounded by the size of messages.
func TestRequestMemoryOfOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{RequestMemory: 1 << 20, RequestMemoryPerIP: 1 << 10})
	c := Caller{Principal: &Principal{IP: netip.MustParseAddr("192.0.2.1")}}
	v, e := w.reserved(c, 5<<20)
	if e != nil {
		t.Fatal(e)
	}
	if _, e := w.registry.Memory.Reserve(c); codeOf(e) != protocol.RateLimited {
		t.Error(e)
	}
	v.Release()
}

// Requests may hold exactly what the limits say. Without limits they may hold anything.
func TestRequestMemoryIsJustEnough(t *testing.T) {
	t.Parallel()
	c := Caller{Principal: &Principal{IP: netip.MustParseAddr("192.0.2.1")}}
	for name, test := range map[string]struct {
		limits Limits
		more   protocol.Code
	}{
		"of an address": {Limits{RequestMemoryPerIP: 4 * requestCost}, protocol.RateLimited},
		"of all":        {Limits{RequestMemory: 4 * requestCost}, protocol.Unavailable},
		"unlimited":     {Limits{}, ""},
	} {
		w := newWorld(t, test.limits)
		if _, e := w.reserved(c, requestCost); e != nil {
			t.Errorf("%s: %v", name, e)
		}
		v, e := w.reserved(c, requestCost)
		if e != nil {
			t.Errorf("%s, just full: %v", name, e)
		}
		if e := v.Add(1); codeOf(e) != test.more {
			t.Errorf("%s, a byte more: %v", name, e)
		}
	}
}
