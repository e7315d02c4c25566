package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// tape is a transport that keeps what is written.
type tape struct {
	mu  sync.Mutex
	out strings.Builder
}

func (t *tape) Write(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out.Write(p)
	return nil
}

func (*tape) Close() {}

// stream opens a stream of a user in a channel, and returns its secret.
func (s *site) stream(user, channel string) (*session.Session, string) {
	s.t.Helper()
	t := new(tape)
	c, e := s.registry.Open(named(user), session.Options{Transport: t, Encoder: sse.Encoder{}, Name: "sse", Fixed: true})
	if e != nil {
		s.t.Fatal(e)
	}
	if e := c.Subscribe(s.t.Context(), protocol.Subscribe{Channel: channel}, session.SubscribeOptions{}); e != nil {
		s.t.Fatal(e)
	}
	synctest.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	_, rest, _ := strings.Cut(t.out.String(), `"secret":"`)
	secret, _, _ := strings.Cut(rest, `"`)
	return c, secret
}

func TestUpdatePresence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, session.Limits{MessageSize: 4 << 10}, func(b hub.Broker) hub.Broker { return b })
		populate(t, s)
		stream, secret := s.stream("ann", "kept:2")
		const path = "/channels/kept:2/presence"
		body := func(more string) string { return `{"secret":"` + secret + `"` + more + `}` }
		for _, request := range []struct {
			name   string
			who    session.Caller
			path   string
			body   string
			status int
			code   string
		}{
			{"no secret", ann, path, `{"status":"away"}`, 400, "INVALID_MESSAGE"},
			{"nothing to say", ann, path, body(``), 400, "INVALID_MESSAGE"},
			{"an empty status", ann, path, body(`,"status":""`), 400, "INVALID_MESSAGE"},
			{"a long status", ann, path, body(`,"status":"` + strings.Repeat("x", 33) + `"`), 400, "INVALID_MESSAGE"},
			{"no object", ann, path, body(`,"info":[]`), 400, "INVALID_MESSAGE"},
			{"a long info", ann, path, body(`,"info":{"x":"` + strings.Repeat("x", 1024) + `"}`), 400, "INVALID_MESSAGE"},
			{"a field twice", ann, path, body(`,"status":"away","status":"back"`), 400, "INVALID_MESSAGE"},
			{"a number", ann, path, `{"secret":1,"status":"away"}`, 400, "INVALID_MESSAGE"},
			{"another channel", ann, path, body(`,"status":"away","channel":"kept:1"`), 400, "INVALID_MESSAGE"},
			{"no JSON", ann, path, body(`,"status"`), 400, "INVALID_JSON"},
			{"too much", ann, path, body(`,"status":"away","x":"` + strings.Repeat("x", 13<<10) + `"`), 413, "TOO_LARGE"},
			{"a wrong secret", ann, path, `{"secret":"x","status":"away"}`, 409, "NOT_SUBSCRIBED"},
			{"not on the stream", ann, "/channels/kept:1/presence", body(`,"status":"away"`), 409, "NOT_SUBSCRIBED"},
			{"another user", session.Caller{Principal: named("bob")}, path, body(`,"status":"away"`), 403, "FORBIDDEN"},
			{"the app", app, path, body(`,"status":"away"`), 403, "FORBIDDEN"},
		} {
			w := s.post(request.who, request.path, request.body)
			if w.Code != request.status {
				t.Errorf("%s: %d %s", request.name, w.Code, w.Body)
				continue
			}
			rejected(t, w, request.status, request.code)
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s: the answer has the secret", request.name)
			}
		}
		if w := s.do(ann, http.MethodPost, path, body(`,"status":"away"`), "Content-Type", "text/plain"); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("a form of another site: %d", w.Code)
		}
		if got := s.members(path); got != `[{"id":"ann","status":"online"}]` {
			t.Errorf("changed by requests that were rejected: %s", got)
		}
		if w := s.post(ann, path, body(`,"status":"away","info":{"at":"<desk>"},"channel":"kept:2","newer":1`)); w.Code != 200 || w.Body.String() != `{"channel":"kept:2"}` {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if got := s.members(path); got != `[{"id":"ann","status":"away","info":{"at":"\u003cdesk\u003e"}}]` {
			t.Errorf("the member is %s", got)
		}
		stream.Conn().Close(hub.ReasonLost)
		synctest.Wait()
		rejected(t, s.post(ann, path, body(`,"status":"away"`)), 409, "NOT_SUBSCRIBED")
		other := newSite(t, session.Limits{}, func(b hub.Broker) hub.Broker { return b })
		_, foreign := other.stream("ann", "x")
		rejected(t, s.post(ann, path, `{"secret":"`+foreign+`","status":"away"}`), 409, "NOT_SUBSCRIBED")
	})
}

// A flood is over the caller's rate before its body is read.
func TestFloodOfUpdates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, session.Limits{Rate: policy.Rate{PerSecond: 0.1, Burst: 5}}, func(b hub.Broker) hub.Broker { return b })
		populate(t, s)
		_, secret := s.stream("ann", "kept:2")
		statuses := map[int]int{}
		var last *httptest.ResponseRecorder
		for range 200 {
			last = s.post(ann, "/channels/kept:2/presence", `{"secret":"`+secret+`","status":"away"}`)
			statuses[last.Code]++
		}
		if statuses[200] != 5 || statuses[429] != 195 {
			t.Errorf("the answers are %v", statuses)
		}
		rejected(t, last, 429, "RATE_LIMITED")
	})
}

// members returns the members that a GET of the path shows.
func (s *site) members(path string) string {
	s.t.Helper()
	synctest.Wait()
	return string(decode[struct{ Members json.RawMessage }](s.t, s.do(nobody, http.MethodGet, path, ""), 200).Members)
}
