package ws_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// node is one node's hub and registry. Everybody may do everything in channels
// that begin with "open:".
type node struct {
	hub      *hub.Hub
	registry *session.Registry
	policy   *policy.Policy
	client   *session.Principal // everybody; may be nil
	deflate  bool               // accepts permessage-deflate
	stuck    chan *http.Request // of streams that were ended in the middle of a write; may be nil
}

func newNode(t testing.TB, s hub.Settings) *node {
	t.Helper()
	return newNodeOf(t, s, func(s hub.Sink) (hub.Broker, error) { return loop{sink: s}, nil })
}

// newNodeOf returns a node with a broker.
func newNodeOf(t testing.TB, s hub.Settings, b func(hub.Sink) (hub.Broker, error)) *node {
	t.Helper()
	h, err := hub.New(b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile([]policy.Room{{Pattern: "open:*", Subscribe: policy.Anyone, Publish: policy.Anyone}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.Apply(s)
	n := &node{hub: h, registry: session.New(h), policy: p}
	n.limit(session.Limits{})
	return n
}

// limit puts limits in force, like a reload does.
func (n *node) limit(l session.Limits) {
	n.registry.Apply(session.Config{Policy: n.policy, Limits: l})
}

func (n *node) options() ws.Options {
	o := ws.Options{Registry: n.registry, Dialect: native.Dialect{}, Principal: n.client, Compression: n.deflate}
	if n.stuck != nil {
		o.Stuck = func(r *http.Request) { n.stuck <- r }
	}
	return o
}

// ServeHTTP is the simplest handler there can be.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := ws.Serve(w, r, n.options()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// listen serves h on HTTP/1.1 and returns its address.
func listen(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// loop is a broker that hands everything straight to its sink.
type loop struct{ sink hub.Sink }

func (b loop) Publish(_ context.Context, m *hub.Message, _ hub.PublishOptions) (hub.Published, error) {
	b.sink.Broadcast(m.Channel, m)
	return hub.Published{}, nil
}

func (loop) Attach(context.Context, string, hub.Retention) error { return nil }

func (loop) Detach(string) {}

func (loop) Prompt() bool { return true }

func (loop) History(context.Context, string, hub.Retention, hub.HistoryQuery) (hub.HistoryPage, error) {
	return hub.HistoryPage{}, nil
}

func (loop) Close() error { return nil }

// pipe runs a connection of n over an in-memory pipe, for tests whose time is not
// the wall's.
func (n *node) pipe(t testing.TB) *wire {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	ws.Start(server, nil, n.registry, native.Dialect{}, &session.Principal{})
	return newWire(t, client)
}
