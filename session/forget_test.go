package session

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// To forget a user's revocations drops them on all nodes, ends the standing orders, and leaves
// revocations of others alone. While the other nodes can not be told, it can be repeated.
func TestForgetRevocations(t *testing.T) {
	overTwoNodes(t, func(t *testing.T, a, b *world, w *cable) {
		now := time.Now()
		revoke := func(user, id string) {
			if _, e := a.registry.Revocations.Revoke(t.Context(), auth.Revocation{User: user, ID: id}); e != nil {
				t.Fatal(e)
			}
		}
		revoke("ann", "")
		revoke("bob", "")
		const ids = 40
		for i := range ids {
			revoke("ann", strings.Repeat("\x00", 200)+strconv.Itoa(i))
		}
		holder := func(user string) *Principal {
			return &Principal{Subject: policy.Subject{User: user}, TokenID: "t", Issued: now.Add(-time.Minute), Expires: now.Add(time.Hour)}
		}
		admits := func(user string, want protocol.Code) {
			t.Helper()
			for _, node := range []*world{a, b} {
				if e := node.registry.Admission.Admit(t.Context(), holder(user)); codeOf(e) != want {
					t.Errorf("%s is admitted: %v, want %q", user, e, want)
				}
			}
		}
		if done, e := a.registry.Forget(t.Context(), "ann", false); done != (Forgotten{Nodes: 1}) || e != nil {
			t.Errorf("without revocations: %+v, %v", done, e)
		}
		w.away = true
		if done, e := a.registry.Forget(t.Context(), "ann", true); done.Revocations != 0 || codeOf(e) != protocol.Unavailable {
			t.Errorf("cut off: %+v, %v", done, e)
		}
		w.away = false
		admits("ann", protocol.Unauthorized)
		standing := make(map[string]bool)
		for _, o := range w.orders {
			standing[o.Name] = true
		}
		sent := len(w.orders)
		if done, e := a.registry.Forget(t.Context(), "ann", true); done != (Forgotten{Revocations: ids + 1, Nodes: 2, Pending: 2}) || e != nil {
			t.Errorf("%+v, %v", done, e)
		}
		for _, o := range w.orders[sent:] {
			if o.Name != "" || len(o.Body) > hub.MaxOrder {
				t.Errorf("an order %q of %d bytes", o.Name, len(o.Body))
			}
			for _, name := range o.Ends {
				delete(standing, name)
			}
		}
		if len(standing) != 1 || !standing[(&revocation{User: "bob"}).name()] {
			t.Errorf("standing orders: %v", standing)
		}
		admits("ann", "")
		admits("bob", protocol.Unauthorized)
	})
}

// An order to drop revocations is as full as it may be. It has at least one id, or the order would never end.
func TestPardonsAreSplit(t *testing.T) {
	t.Parallel()
	id := func(n int) string { return strings.Repeat("x", n-1) } // of n bytes with its comma
	for name, c := range map[string]struct {
		sizes []int
		want  int
	}{
		"one":               {[]int{10}, 1},
		"just full":         {[]int{maxPardonBytes - 10, 10}, 2},
		"a byte too much":   {[]int{maxPardonBytes - 10, 11}, 1},
		"one that is large": {[]int{maxPardonBytes + 1, 1}, 1},
		"a large second":    {[]int{10, maxPardonBytes}, 1},
	} {
		var ids []string
		for _, n := range c.sizes {
			ids = append(ids, id(n))
		}
		if got := pardonPart(ids); len(got) != c.want {
			t.Errorf("%s: %d ids, want %d", name, len(got), c.want)
		}
	}
}

// A node that does not know yet what is revoked drops nothing, or a repeat would find nothing to drop.
func TestForgetOnAnUninformedNode(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		w.registry.WithControl(func(hub.Executor) Control { return new(cable) })
		done, e := w.registry.Forget(t.Context(), "ann", true)
		if codeOf(e) != protocol.Unavailable || e.RetryAfter < time.Second || e.RetryAfter >= 10*time.Second || done.Revocations != 0 {
			t.Errorf("%+v, %+v", done, e)
		}
	})
}
