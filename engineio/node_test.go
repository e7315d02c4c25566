package engineio_test

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// room is the only room.
const room = "open:room"

// node is one node's hub and registry, with a dialect that echoes. Everybody may subscribe to the
// room.
type node struct {
	t        testing.TB
	hub      *hub.Hub
	registry *session.Registry
	policy   *policy.Policy
	sessions engineio.Sessions

	mu     sync.Mutex
	change func(*engineio.Options) // of the next requests; may be nil
}

func newNode(t testing.TB, s hub.Settings) *node {
	t.Helper()
	s.Heartbeat = cmp.Or(s.Heartbeat, time.Hour) // no ping between the messages
	h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return loop{sink: s}, nil })
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile([]policy.Room{{Pattern: "open:*", Subscribe: policy.Anyone, Publish: policy.Anyone}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.Apply(s)
	n := &node{t: t, hub: h, registry: session.New(h), policy: p}
	n.limit(session.Limits{})
	return n
}

// limit puts limits in force, like a reload does.
func (n *node) limit(l session.Limits) {
	n.registry.Apply(session.Config{Policy: n.policy, Limits: l})
}

// with changes the options of the requests that follow.
func (n *node) with(change func(*engineio.Options)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.change = change
}

func (n *node) options() engineio.Options {
	o := engineio.Options{
		Registry: n.registry,
		Sessions: &n.sessions,
		Dialect:  func() session.Dialect { return new(dialect) },
		Admit: func() (*session.Principal, *protocol.Error) {
			p := &session.Principal{IP: netip.MustParseAddr("192.0.2.1")}
			return p, n.registry.Admission.Admit(context.Background(), p)
		},
		Upgrade: func(w http.ResponseWriter, r *http.Request, p *session.Principal, o ws.Options) error {
			o.Registry, o.Principal = n.registry, p
			return ws.Serve(w, r, o)
		},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.change != nil {
		n.change(&o)
	}
	return o
}

// ServeHTTP is the simplest handler there can be.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := engineio.Serve(w, r, n.options()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// publish hands a message to the room.
func (n *node) publish(content string) {
	n.t.Helper()
	m := &hub.Message{Channel: room, Content: []byte(content)}
	if _, err := n.hub.Publish(context.Background(), m, ""); err != nil {
		n.t.Error(err)
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

// dialect echoes what it receives. The text `join` subscribes to the room, `both` gets a text and a
// binary message as one event, `panic` panics.
type dialect struct{ opened bool }

func (d *dialect) Opened(*session.Session) { d.opened = true }

type (
	text string
	blob string
	pair struct{}
)

func (*dialect) Name() string { return "echo" }

func (*dialect) Encoder() hub.Encoder { return encoder{} }

func (d *dialect) Receive(s *session.Session, frame []byte, binary bool) {
	if !d.opened {
		panic("the dialect does not know of the session")
	}
	if e, pause := s.Spend(); e != nil {
		s.Violation(e)
		s.Pause(pause)
		return
	}
	switch said := string(frame); {
	case binary:
		s.Conn().Send(blob(said))
	case said == "join":
		if e := s.Subscribe(s.Context(), protocol.Subscribe{Channel: room}, session.SubscribeOptions{}); e != nil {
			panic(e)
		}
		s.Conn().Send(text("joined"))
	case said == "both":
		s.Conn().Send(pair{})
	case said == "panic":
		panic("as the test wants it")
	default:
		s.Conn().Send(text(said))
	}
}

type encoder struct{}

func (encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case text:
		return append(append(dst, '4'), ev...)
	case blob:
		return append(dst, ev...)
	case *hub.Message:
		return append(append(dst, '4'), ev.Content...)
	}
	return dst
}

func (encoder) Split(ev hub.Event) []hub.Event {
	if ev == (pair{}) {
		return []hub.Event{text("one attachment"), blob("\xff\x00")}
	}
	return nil
}

func (encoder) IsBinary(ev hub.Event) bool {
	_, ok := ev.(blob)
	return ok
}

func (encoder) AppendPing(dst []byte) []byte { return dst }

func (encoder) AppendClose(dst []byte, r hub.Reason) []byte {
	if protocol.MayReconnect(r.Code) {
		return dst
	}
	return append(dst, "4bye"...)
}

// loop is a broker that hands everything straight to its sink.
type loop struct{ sink hub.Sink }

func (b loop) Publish(_ context.Context, m *hub.Message, _ hub.PublishOptions) (hub.Published, error) {
	b.sink.Broadcast(m.Channel, m)
	return hub.Published{}, nil
}

func (loop) Attach(context.Context, string, hub.Retention) error { return nil }

func (loop) Detach(string) {}

func (loop) History(context.Context, string, hub.Retention, hub.HistoryQuery) (hub.HistoryPage, error) {
	return hub.HistoryPage{}, nil
}

func (loop) Close() error { return nil }

func policyRate(perSecond float64, burst int) policy.Rate {
	return policy.Rate{PerSecond: perSecond, Burst: burst}
}
