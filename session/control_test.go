package session

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// cable brings orders from one registry to another, at once or some time later.
type cable struct {
	to     *Registry
	orders []hub.Order
	away   bool
	full   bool // the order can not be stored
}

func (c *cable) Order(_ context.Context, o hub.Order) (hub.Answers, error) {
	if c.full {
		return hub.Answers{}, fmt.Errorf("%w: no space left", hub.ErrNotStored)
	}
	if c.away {
		return hub.Answers{}, fmt.Errorf("%w: cut", hub.ErrUnavailable)
	}
	c.orders = append(c.orders, o)
	ended, err := c.to.Execute(o.Body, 0)
	if err != nil {
		return hub.Answers{Pending: 3}, nil
	}
	return hub.Answers{Nodes: 1, Ended: ended, Pending: 2}, nil
}

// overTwoNodes runs a test with two nodes, the first of which can give orders.
func overTwoNodes(t *testing.T, test func(t *testing.T, a, b *world, w *cable)) {
	inBubble(t, Limits{}, nil, func(t *testing.T, a *world) {
		b := newWorld(t, Limits{})
		w := &cable{to: b.registry}
		a.registry.WithControl(func(e hub.Executor) Control {
			e.Informed()
			return w
		})
		test(t, a, b, w)
	})
}

// The error names what has failed: the disk, or the way to the others.
func TestErrorOfAnOrderNamesTheCause(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, _ *world, w *cable) {
		for want, fail := range map[string]func(){
			"this could not be stored, so that a restart would undo it; send it again":    func() { w.full = true },
			"this is done on one server, but the others could not be told; send it again": func() { w.full, w.away = false, true },
		} {
			fail()
			_, e := a.registry.Revocations.Revoke(t.Context(), auth.Revocation{User: "ann"})
			if e == nil || e.Code != protocol.Unavailable || e.Message != want {
				t.Errorf("%v, want %q", e, want)
			}
		}
	})
}

func TestOrdersReachOtherNodes(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		const user = `"}{"` + "☃"
		reason := hub.Reason{Code: 4499, Text: `<"out">`}
		here, there, bob := a.connect(user), b.connect(user), b.connect("bob")
		done, e := a.registry.Kicks.User(t.Context(), user, reason)
		if done != (Ended{Connections: 2, Nodes: 2, Pending: 2}) || e != nil {
			t.Errorf("kicked %+v, %v", done, e)
		}
		here.hears(`{"close":4499}`)
		there.hears(`{"close":4499}`)
		if r := there.reasons[0]; r != reason {
			t.Errorf("ended with %v on the other node", r)
		}
		if done, e = a.registry.Kicks.Connection(t.Context(), bob.Conn().ID(), reason); done.Connections != 1 || e != nil {
			t.Errorf("kicked %+v, %v", done, e)
		}
		bob.hears(`{"close":4499}`)
		for _, o := range w.orders {
			if o.Name != "" {
				t.Errorf("a kick is a standing order %q", o.Name)
			}
		}
		n := len(w.orders)
		own := a.connect("")
		if done, e = a.registry.Kicks.Connection(t.Context(), own.Conn().ID(), reason); done != (Ended{Connections: 1, Nodes: 1}) || e != nil || len(w.orders) != n {
			t.Errorf("a connection to this node: %+v, %v, %d orders", done, e, len(w.orders)-n)
		}
	})
}

// A kick that reaches a node late is not for connections that were made after it.
func TestLateKickSparesWhoCameBack(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		old := b.connect("ann")
		time.Sleep(time.Minute)
		back := b.connect("ann")
		time.Sleep(time.Minute)
		body, err := order{Kick: &kick{User: "ann", Code: 4403}}.encode()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := b.registry.Execute(body, 90*time.Second); n != 1 || err != nil {
			t.Errorf("%d connections ended, %v", n, err)
		}
		old.hears(`{"close":4403}`)
		back.hears()
	})
}

func TestRevocationsReachOtherNodes(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		now := time.Now()
		holder := &Principal{Subject: policy.Subject{User: "ann"}, TokenID: "t1", Issued: now.Add(-time.Minute), Expires: now.Add(time.Hour)}
		ann := b.arrive(holder)
		v := auth.Revocation{User: "ann", ID: "t1", Before: now, Until: now.Add(time.Hour)}
		if done, e := a.registry.Revocations.Revoke(t.Context(), v); done.Connections != 1 || e != nil {
			t.Errorf("%+v, %v", done, e)
		}
		ann.hears(`{"close":4401}`)
		if e := b.registry.Admission.Admit(t.Context(), holder); codeOf(e) != protocol.Unauthorized {
			t.Errorf("admitted: %v", e)
		}
		later := holder
		later.Issued = now.Add(time.Second)
		if e := b.registry.Admission.Admit(t.Context(), later); e != nil {
			t.Errorf("a later token: %v", e)
		}
		if o := w.orders[0]; o.Name == "" || o.Lasts > time.Hour || o.Lasts < 50*time.Minute {
			t.Errorf("standing as %q for %v", o.Name, o.Lasts)
		}
		// Pairs that look alike when they are joined.
		names := map[string]bool{}
		for _, v := range []revocation{{User: "a", ID: "b"}, {User: "ab"}, {ID: "ab"}, {User: `a","b`}, {User: `a`, ID: `","b`}} {
			names[v.name()] = true
		}
		if len(names) != 5 {
			t.Errorf("only %d names: %v", len(names), names)
		}
	})
}

func TestOrderFails(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		w.away = true
		ann := a.connect("ann")
		done, e := a.registry.Kicks.User(t.Context(), "ann", protocol.ReasonForbidden)
		if done.Connections != 1 || codeOf(e) != protocol.Unavailable || e.RetryAfter <= 0 {
			t.Errorf("%+v, %+v", done, e)
		}
		ann.hears(`{"close":4403}`)
		_, e = a.registry.Revocations.Revoke(t.Context(), auth.Revocation{User: "bob"})
		if codeOf(e) != protocol.Unavailable || !a.registry.Revocations.Revoked(auth.Identity{User: "bob"}) {
			t.Errorf("%+v", e)
		}
	})
}

func TestOrdersOfOtherVersions(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		ann := w.connect("ann")
		for _, body := range []string{``, `{`, `[]`, `null`, `{}`, `{"promote":{"user":"ann"}}`, `{"kick":null}`, `{"kick":{"user":7}}`, `{"revoke":{"untilMicros":"x"}}`} {
			if n, err := w.registry.Execute([]byte(body), 0); n != 0 || err == nil {
				t.Errorf("%s ended %d connections, %v", body, n, err)
			}
		}
		if n, err := w.registry.Execute([]byte(`{"kick":{}}`), 0); n != 0 || err != nil {
			t.Errorf("a kick of nobody ended %d connections, %v", n, err)
		}
		synctest.Wait()
		ann.hears()
	})
}

// Until the revocations of other nodes are known, tokens are not taken, and everybody
// else is.
func TestUninformed(t *testing.T) {
	inRealm(t, Realm{}, nil, func(t *testing.T, w *world) {
		w.registry.WithControl(func(hub.Executor) Control { return new(cable) })
		p := w.tokenPeer(claims("ann"))
		e := w.registry.Admission.Admit(t.Context(), p)
		if codeOf(e) != protocol.Unavailable || e.RetryAfter <= 0 {
			t.Errorf("admitted: %+v", e)
		}
		if _, e := w.dial(p); codeOf(e) != protocol.Unavailable {
			t.Errorf("opened: %v", e)
		}
		c := w.arrive(&Principal{})
		if e := c.become(c.who(), p); codeOf(e) != protocol.Unavailable {
			t.Errorf("authenticated: %v", e)
		}
		if e := w.registry.Admission.Admit(t.Context(), named("bob")); e != nil {
			t.Error(e)
		}
		w.registry.Informed()
		if e := w.registry.Admission.Admit(t.Context(), p); e != nil {
			t.Error(e)
		}
	})
}

// A time that has no form on the wire is refused before anything is done. One that has
// reaches the other nodes, also those of an earlier version, and so does theirs.
func TestRevocationsOnTheWire(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		now := time.Now().Add(123 * time.Nanosecond)
		first := auth.Revocation{User: "ann", Before: now}
		if done, e := a.registry.Revocations.Revoke(t.Context(), first); e != nil || done.Nodes != 2 {
			t.Fatalf("%+v, %v", done, e)
		}
		for _, far := range []time.Time{time.UnixMilli(253402300800000), time.UnixMilli(1796e12), time.UnixMilli(-1), time.Time{}.AddDate(-1, 0, 0)} {
			for _, v := range []auth.Revocation{{User: "ann", Before: far}, {User: "ann", Until: far}} {
				if _, e := a.registry.Revocations.Revoke(t.Context(), v); codeOf(e) != protocol.InvalidMessage {
					t.Errorf("%v: %v", v, e)
				}
			}
		}
		if len(w.orders) != 1 {
			t.Errorf("%d orders were given", len(w.orders))
		}
		for name, n := range map[string]*world{"here": a, "there": b} {
			if !n.registry.Revocations.Revoked(auth.Identity{User: "ann", Issued: now.Add(-1)}) || n.registry.Revocations.Revoked(auth.Identity{User: "ann", Issued: now.Add(time.Microsecond)}) {
				t.Error("another revocation is in force", name)
			}
		}
		last := time.UnixMilli(253402300799999).In(time.FixedZone("east", 14*3600))
		if done, e := a.registry.Revocations.Revoke(t.Context(), auth.Revocation{ID: "t1", Until: last}); e != nil || done.Nodes != 2 {
			t.Errorf("%+v, %v", done, e)
		}
		var old struct {
			Revoke struct{ Before, Until time.Time }
		}
		if err := json.Unmarshal(w.orders[0].Body, &old); err != nil || !old.Revoke.Before.Equal(now) {
			t.Errorf("an earlier version reads %v, %v", old, err)
		}
		early := now.Add(-time.Minute).UTC().Format(time.RFC3339Nano)
		if _, err := b.registry.Execute([]byte(`{"revoke":{"user":"bob","before":"`+early+`"}}`), 0); err != nil {
			t.Fatal(err)
		}
		if !b.registry.Revocations.Revoked(auth.Identity{User: "bob", Issued: now.Add(-time.Hour)}) || b.registry.Revocations.Revoked(auth.Identity{User: "bob", Issued: now}) {
			t.Error("a revocation of an earlier version counts otherwise")
		}
	})
}

// Times are rounded up to microseconds, and no further: a revocation covers no less on another node, and no token
// that was issued after it.
func TestRevocationsAreRoundedUp(t *testing.T) {
	t.Parallel()
	whole := time.UnixMicro(1_700_000_000_000_001)
	for ns, want := range map[time.Duration]int64{0: 0, 1: 1, 500: 1, 999: 1, 1000: 1, 1001: 2} {
		if got := micros(whole.Add(ns)) - whole.UnixMicro(); got != want {
			t.Errorf("%d ns are %d µs, want %d", ns, got, want)
		}
	}
}

// The first and the last year that the wire has are within its bounds.
func TestYearsOfRevocations(t *testing.T) {
	t.Parallel()
	for year, ok := range map[int]bool{firstYear - 1: false, firstYear: true, lastYear: true, lastYear + 1: false} {
		if _, err := newRevocation(auth.Revocation{User: "ann", Before: time.Date(year, time.June, 1, 0, 0, 0, 0, time.UTC)}); (err == nil) != ok {
			t.Errorf("%d: %v", year, err)
		}
	}
}
