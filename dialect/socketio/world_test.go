package socketio

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

func TestMain(m *testing.M) { leak.Main(m) }

// world is a hub on memory whose clients speak this dialect.
type world struct {
	t        *testing.T
	registry *session.Registry
	server   *Server
	config   session.Config
}

// inWorld runs a test in a bubble. Rooms named open:… and those of all clients are open, those named
// users:… are for users; rooms kept:… have history, rooms with:… members.
func inWorld(t *testing.T, s *Server, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, server: s}
		h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		tracker, err := presence.New(
			func(s presence.Sink) (presence.Store, error) { return memory.NewPresenceStore(s), nil },
			func(channel string, f presence.Frame) { h.Announce(channel, protocol.PresenceEvent{Frame: f}) },
		)
		if err != nil {
			t.Fatal(err)
		}
		defer tracker.Close()
		w.registry = session.New(h).WithPresence(tracker)
		p, err := policy.Compile([]policy.Room{
			{Pattern: "io:*", Subscribe: policy.Anyone, Publish: policy.Anyone},
			{Pattern: "open:*", Subscribe: policy.Anyone, Publish: policy.Anyone},
			{Pattern: "admin:open:*", Subscribe: policy.Anyone, Publish: policy.Anyone},
			{Pattern: "users:*", Subscribe: policy.Users, Publish: policy.Users},
			{Pattern: "with:*", Subscribe: policy.Anyone, Publish: policy.Anyone, Members: &presence.Options{}},
			{Pattern: "kept:*", Subscribe: policy.Anyone, Publish: policy.Anyone, History: hub.Retention{Size: 10, TTL: time.Hour}},
			{Pattern: "r.open:*", Subscribe: policy.Anyone, Publish: policy.Anyone},
			{Pattern: "r.users:*", Subscribe: policy.Users, Publish: policy.Users, History: hub.Retention{Size: 10, TTL: time.Hour}},
			{Pattern: "r.with:*", Subscribe: policy.Anyone, Publish: policy.Anyone, Members: &presence.Options{Grace: time.Minute}, History: hub.Retention{Size: 10, TTL: time.Hour}},
			{Pattern: "r.*", Subscribe: policy.Anyone, Publish: policy.Anyone, History: hub.Retention{Size: 10, TTL: time.Hour}},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Apply(hub.Settings{Room: p.Options})
		tracker.Apply(presence.Settings{Room: p.Presence})
		w.config = session.Config{Policy: p, Limits: session.Limits{MessageSize: 4 << 10}}
		w.registry.Apply(w.config)
		test(w)
	})
}

// peer is a client.
type peer struct {
	*session.Session
	w    *world
	wire *wire
}

// wire keeps what a client is sent.
type wire struct {
	mu    sync.Mutex
	text  strings.Builder
	ended bool
}

func (w *wire) Write(p []byte) error { _, err := w.TryWrite(p); return err }

func (w *wire) TryWrite(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *wire) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// lines is the encoder of a transport that puts each frame on a line.
type lines struct{ hub.Encoder }

func (l lines) AppendEvent(dst []byte, ev hub.Event) []byte {
	if text := written(l.Encoder, ev); text != "" {
		return append(append(dst, text...), '\n')
	}
	return dst
}

func (l lines) AppendClose(dst []byte, r hub.Reason) []byte {
	return append(append(l.Encoder.AppendClose(dst, r), "end "+r.Text...), '\n')
}

func (w *world) connect() *peer {
	w.t.Helper()
	d := New(w.server)
	p := &peer{w: w, wire: new(wire)}
	s, e := w.registry.Open(nil, session.Options{Transport: p.wire, Encoder: lines{d.Encoder()}, Dialect: d})
	if e != nil {
		w.t.Fatal(e)
	}
	p.Session = s
	return p
}

// say sends a text packet.
func (p *peer) say(text string) { p.Receive([]byte(text), false) }

// hears checks what the client has been sent since the last time. ID in it is its own id.
func (p *peer) hears(want ...string) {
	p.w.t.Helper()
	synctest.Wait()
	p.wire.mu.Lock()
	got := strings.ReplaceAll(strings.TrimSuffix(p.wire.text.String(), "\n"), p.Conn().ID(), "ID")
	p.wire.text.Reset()
	p.wire.mu.Unlock()
	if got != strings.Join(want, "\n") {
		p.w.t.Errorf("the client hears\n%s\nand not\n%s", got, strings.Join(want, "\n"))
	}
}

// joins returns a client that is connected to the root.
func (w *world) joins() *peer {
	w.t.Helper()
	p := w.connect()
	p.say("0")
	p.hears(`40{"sid":"ID"}`)
	return p
}

// publish publishes as the app.
func (w *world) publish(q protocol.Publish) {
	w.t.Helper()
	_, e := w.registry.Publishing.Publish(context.Background(), session.Caller{App: true}, q)
	if e != nil {
		w.t.Fatal(e)
	}
}
