package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/session"
)

var (
	app    = session.Caller{App: true}
	ann    = session.Caller{Principal: named("ann")}
	nobody = session.Caller{}
)

// site is the API on a real hub, at the path /rt.
type site struct {
	t        *testing.T
	hub      *hub.Hub
	registry *session.Registry
}

func newSite(t *testing.T, limits session.Limits, wrap func(hub.Broker) hub.Broker) *site {
	t.Helper()
	h, err := hub.New(func(sink hub.Sink) (hub.Broker, error) {
		return wrap(memory.New(sink, memory.Options{})), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	p, err := policy.Compile([]policy.Room{
		{Pattern: "kept:*", Subscribe: policy.Anyone, Publish: policy.Users, History: hub.Retention{Size: 100}, Members: new(presence.Options)},
		{Pattern: "strict:*", Publish: policy.Users, History: hub.Retention{Size: 100}, Sanitize: policy.SanitizeText, Bounds: policy.Bounds{Size: 20}},
		{Pattern: "slow:*", Publish: policy.Users, Rate: policy.Rate{PerSecond: 0.01, Burst: 1}},
		{Pattern: "x", Subscribe: policy.Anyone, Publish: policy.Anyone},
		{Pattern: "open:*", Subscribe: policy.Anyone, Publish: policy.Anyone, History: hub.Retention{Size: 100}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Apply(hub.Settings{Room: p.Options})
	s := &site{t: t, hub: h, registry: session.New(h)}
	s.registry.Apply(session.Config{Policy: p, Limits: limits})
	return s
}

func plainSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, session.Limits{}, func(b hub.Broker) hub.Broker { return b })
}

// do sends a request; a header is given as name and value. One more of a name has "+" in
// front of it.
func (s *site) do(who session.Caller, method, path, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "http://example.com/rt"+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		if name, more := strings.CutPrefix(header[i], "+"); more {
			r.Header.Add(name, header[i+1])
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	below := strings.TrimPrefix(r.URL.EscapedPath(), "/rt")
	if !Serve(w, r, below, Options{Registry: s.registry, Caller: who}) {
		w.Code = -1
	}
	described(s.t, method, below, w.Code)
	return w
}

// described checks that the description knows the status of an answer. Every answer that a
// test gets goes through it.
func described(t *testing.T, method, path string, status int) {
	t.Helper()
	var all struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(description, &all); err != nil {
		t.Fatal(err)
	}
	segments, _ := split(path)
	route := choose(at(segments), method)
	if route == nil || method == http.MethodOptions {
		return // no method of the API
	}
	var operation struct{ Responses map[string]json.RawMessage }
	if err := json.Unmarshal(all.Paths[route.pattern][strings.ToLower(route.method)], &operation); err != nil {
		t.Fatal(err)
	}
	if operation.Responses[strconv.Itoa(status)] == nil {
		t.Errorf("%s %s answers %d, which its description does not know", route.method, route.pattern, status)
	}
}

func (s *site) post(who session.Caller, path, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.do(who, http.MethodPost, path, body, append([]string{"Content-Type", "application/json"}, header...)...)
}

// decode reads an answer that must have this status.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// rejected checks that an answer is this error.
func rejected(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	p := decode[problem.Details](t, w, status)
	if p.Status != status || string(p.Code) != code || p.Detail == "" || p.Title != http.StatusText(status) || p.Type != "about:blank" {
		t.Errorf("got %+v, want %s", p, code)
	}
	if typ := w.Header().Get("Content-Type"); typ != "application/problem+json" {
		t.Errorf("content type %q", typ)
	}
	hardened(t, w)
}

func hardened(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", w.Header())
	}
}

// newest gives the last retained message of a channel.
func (s *site) newest(channel string) *hub.Message {
	s.t.Helper()
	page, err := s.hub.History(s.t.Context(), channel, hub.HistoryQuery{Limit: 1})
	if err != nil || len(page.Messages) != 1 {
		s.t.Fatalf("history of %s: %d messages, %v", channel, len(page.Messages), err)
	}
	return page.Messages[0]
}

// absent is a broker whose store cannot be reached.
type absent struct{ hub.Broker }

func (absent) Publish(context.Context, *hub.Message, hub.PublishOptions) (hub.Published, error) {
	return hub.Published{}, hub.ErrUnavailable
}

// lonely is a broker that reaches only this node.
type lonely struct{ hub.Broker }

func (l lonely) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	p, err := l.Broker.Publish(ctx, m, o)
	p.Degraded = true
	return p, err
}

// named is a principal with nothing but a user.
func named(user string) *session.Principal {
	return &session.Principal{Subject: policy.Subject{User: user}}
}
