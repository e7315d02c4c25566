package session

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A client calls the app over HTTP as over its connection. The app is asked only for those that may call it and
// are within their rate.
func TestCallsOverHTTP(t *testing.T) {
	inRealm(t, Realm{Calls: callee{}}, nil, func(t *testing.T, w *world) {
		call := func(c Caller, method string) (string, protocol.Code) {
			result, e := w.registry.Call(t.Context(), c, protocol.Call{Method: method, Params: []byte(`[1]`)})
			return string(result), codeOf(e)
		}
		ann := Caller{Principal: &Principal{Subject: policy.Subject{User: "ann"}, Realm: site, Handshake: "h"}}
		elsewhere := Caller{Principal: &Principal{Subject: policy.Subject{User: "ann"}, Realm: "/other", Handshake: "h"}}
		const answer = `{"user":"ann","params":[1]}`
		if got, code := call(ann, "sum"); got != answer || code != "" {
			t.Errorf("%s, %s", got, code)
		}
		if got, code := call(ann, "reject"); got != "" || code != protocol.InvalidJSON {
			t.Errorf("rejected with %s, %s", got, code)
		}
		if got, code := call(elsewhere, "sum"); got != "" || code != protocol.Forbidden {
			t.Errorf("a realm without calls: %s, %s", got, code)
		}
		w.config.Limits.Rate = policy.Rate{PerSecond: 1, Burst: 1}
		w.apply(w.config)
		if got, code := call(ann, "sum"); got != answer || code != "" {
			t.Errorf("within the rate: %s, %s", got, code)
		}
		if got, code := call(ann, "sum"); got != "" || code != protocol.RateLimited {
			t.Errorf("over the rate: %s, %s", got, code)
		}
		if n := w.registry.Counts().RateLimited[limitRequests]; n != 1 {
			t.Errorf("%d requests are counted as over the rate", n)
		}
	})
}

// A failure of the app is a warning every ten seconds, for each way to fail.
func TestFailuresOfTheAppAreLoudNowAndThen(t *testing.T) {
	inBubble(t, Limits{}, nil, func(t *testing.T, w *world) {
		u := w.registry.rules.Load()
		loud := func(f fault) bool { return u.loudness(t.Context(), f) > 0 }
		start := time.Now()
		for _, step := range []struct {
			after time.Duration
			loud  bool
		}{{0, true}, {0, false}, {9 * time.Second, false}, {10 * time.Second, true}, {19 * time.Second, false}, {20 * time.Second, true}} {
			time.Sleep(time.Until(start.Add(step.after)))
			if got := loud(silent); got != step.loud {
				t.Errorf("after %v: %v", step.after, got)
			}
		}
		if !loud(unusable) {
			t.Error("one way to fail hides another one")
		}
	})
}
