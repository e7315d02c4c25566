package session

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// What was paid before the body was read is not paid again.
func TestCharge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{Rate: policy.Rate{PerSecond: 0.01, Burst: 2}}, open("a")...)
	publish := func(c Caller) protocol.Code {
		_, e := w.registry.Publishing.Publish(t.Context(), c, protocol.Publish{Channel: "a", Content: []byte("1")})
		return codeOf(e)
	}
	paid, e := w.registry.Rates.Charge(Caller{Principal: named("ann")})
	if e != nil {
		t.Fatal(e)
	}
	if _, e := w.registry.Rates.Charge(paid); e != nil {
		t.Error(e)
	}
	for _, step := range []struct {
		c    Caller
		want protocol.Code
	}{{paid, ""}, {paid.Unpaid(), ""}, {paid.Unpaid(), protocol.RateLimited}, {Caller{App: true}, ""}} {
		if got := publish(step.c); got != step.want {
			t.Errorf("%+v: %q, want %q", step.c, got, step.want)
		}
	}
	if _, e := w.registry.Rates.Charge(Caller{Principal: named("ann")}); codeOf(e) != protocol.RateLimited || e.RetryAfter <= 0 {
		t.Error(e)
	}
}
