package sse_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/sse"
)

// way is one of the ways a stream can travel.
type way struct {
	name   string
	hijack bool
	tls    bool
	h2     bool
}

var ways = []way{
	{name: "hijacked", hijack: true},
	{name: "hijacked TLS", hijack: true, tls: true},
	{name: "inside HTTP/1.1"},
	{name: "inside HTTP/2", hijack: true, tls: true, h2: true},
}

// overEachWay runs a test once for each way, on a site of its own.
func overEachWay(t *testing.T, c config, test func(*testing.T, *site)) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := c
			c.way = w
			test(t, newSite(t, c))
		})
	}
}

// config says what is special about a site.
type config struct {
	way      way
	settings hub.Settings
	limits   session.Limits
	user     string
	broker   func(hub.Broker) hub.Broker         // wraps the memory broker
	around   func(http.Handler) http.HandlerFunc // wraps the handler
	timeout  time.Duration                       // the server's own, for writing a response
}

// site is a server with event streams on a real hub.
type site struct {
	t        *testing.T
	hub      *hub.Hub
	registry *session.Registry
	server   *httptest.Server
	client   *http.Client
	close    func()      // closes the hub
	ended    chan uint16 // the codes of ended connections
	served   chan error  // what Serve returned
	conns    chan net.Conn
	inside   bool        // streams live in their handlers
	rejected chan string // the channels of rejected streams
	stuck    chan bool   // a stream in its handler was ended in the middle of a write
}

// connKey is the key of a connection in the context of its requests.
type connKey struct{}

func rooms(t *testing.T) *policy.Policy {
	t.Helper()
	kept := hub.Retention{Size: 5000}
	p, err := policy.Compile([]policy.Room{
		{Pattern: "kept:*", Subscribe: policy.Anyone, Publish: policy.Anyone, History: kept},
		{Pattern: "sealed:*", Subscribe: policy.Anyone, HistoryAccess: policy.Server, History: kept},
		{Pattern: "plain:*", Subscribe: policy.Anyone, Publish: policy.Anyone},
		{Pattern: "users:*", Subscribe: policy.Users},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newSite(t *testing.T, c config) *site {
	t.Helper()
	s := &site{t: t, ended: make(chan uint16, 10000), served: make(chan error, 10000), conns: make(chan net.Conn, 10000), stuck: make(chan bool, 10000), rejected: make(chan string, 10000)}
	var err error
	s.hub, err = hub.New(func(sink hub.Sink) (hub.Broker, error) {
		b := hub.Broker(memory.New(sink, memory.Options{}))
		if c.broker != nil {
			b = c.broker(b)
		}
		return b, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := rooms(t)
	c.settings.Room = p.Options
	s.hub.Apply(c.settings)
	s.registry = session.New(s.hub)
	s.registry.Apply(session.Config{Policy: p, Limits: c.limits, Logger: slog.New(endings{s.ended})})
	s.serve(c)
	return s
}

func (s *site) serve(c config) {
	s.inside = c.way.h2 || !c.way.hijack
	handler := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := s.registry.Admission.Admit(r.Context(), named(c.user)); e != nil { // as whoever calls Serve does
			if !sse.AskBack(w, r, e) {
				problem.Write(w, e)
			}
			return
		}
		s.served <- sse.Serve(w, r, sse.Options{
			Registry:    s.registry,
			Principal:   named(c.user),
			Hijack:      func(http.ResponseWriter) bool { return c.way.hijack },
			Conn:        func(r *http.Request) net.Conn { return r.Context().Value(connKey{}).(net.Conn) },
			UserTimeout: time.Minute,
			Tokens:      []string{"since"},
			Stuck:       func(*http.Request) { s.stuck <- true },
			Rejected:    func(channel string, _ *protocol.Error) { s.rejected <- channel },
		})
	}))
	if c.around != nil {
		handler = c.around(handler)
	}
	s.server = httptest.NewUnstartedServer(handler)
	s.server.EnableHTTP2 = c.way.h2
	s.server.Config.WriteTimeout = c.timeout
	s.server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		s.conns <- conn
		return context.WithValue(ctx, connKey{}, conn)
	}
	if c.way.tls {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	s.client = s.server.Client()
	s.close = sync.OnceFunc(func() {
		if err := s.hub.Close(); err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(func() {
		s.close()
		s.client.CloseIdleConnections()
		s.server.Close()
	})
}

// endings is a log handler that looks for ended connections.
type endings struct{ codes chan uint16 }

func (endings) Enabled(context.Context, slog.Level) bool { return true }
func (e endings) WithAttrs([]slog.Attr) slog.Handler     { return e }
func (e endings) WithGroup(string) slog.Handler          { return e }

func (e endings) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "connection ended" {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "code" {
			e.codes <- uint16(a.Value.Uint64())
		}
		return true
	})
	return nil
}

// end waits until a connection has ended and gives its code.
func (s *site) end() uint16 {
	s.t.Helper()
	select {
	case code := <-s.ended:
		return code
	case <-time.After(10 * time.Second):
		s.t.Fatal("no connection has ended")
		return 0
	}
}

func (s *site) publish(channel, content string) hub.Position {
	s.t.Helper()
	return s.publishEvent(channel, content, "")
}

func (s *site) publishEvent(channel, content, event string) hub.Position {
	s.t.Helper()
	p := protocol.Publish{Channel: channel, Content: []byte(content), Event: event}
	done, e := s.registry.Publishing.Publish(s.t.Context(), session.Caller{App: true}, p)
	if e != nil {
		s.t.Fatal(e)
	}
	return done.Position
}

// get asks for a stream; a header is given as name and value.
func (s *site) get(query string, header ...string) *http.Response {
	s.t.Helper()
	ctx, leave := context.WithTimeout(s.t.Context(), 2*time.Minute) // for the whole stream
	s.t.Cleanup(leave)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/?"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// stream is a client's end of an event stream.
type stream struct {
	*source
	t   *testing.T
	res *http.Response
}

// open asks for a stream and reads up to its last `subscribed`.
func (s *site) open(query string, header ...string) *stream {
	s.t.Helper()
	res := s.get(query, header...)
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("status %d", res.StatusCode)
	}
	return &stream{newSource(res.Body), s.t, res}
}

// event reads the next event, which must have this name.
func (s *stream) event(name string) event {
	s.t.Helper()
	ev, err := s.next()
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	if ev.name != name {
		s.t.Fatalf("got %+v, want %s", ev, name)
	}
	return ev
}

// begin reads `connected` and one `subscribed` for each channel.
func (s *stream) begin(channels int) *stream {
	s.t.Helper()
	s.event("connected")
	for range channels {
		s.event("subscribed")
	}
	return s
}

// leave is what a client does that goes away.
func (s *stream) leave() { _ = s.res.Body.Close() }

// named is a principal with nothing but a user.
func named(user string) *session.Principal {
	return &session.Principal{Subject: policy.Subject{User: user}}
}
