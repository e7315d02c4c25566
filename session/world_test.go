package session

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// faults is a broker that can be made to fail, to wait and to panic.
type faults struct {
	hub.Broker
	mu   sync.Mutex
	fail error
	// hold makes Attach wait until it is closed or the caller gives up.
	hold chan struct{}
	// panics makes Publish panic.
	panics bool
	keys   []string // of the publishes
	during func()   // runs inside History

	feeds atomic.Int64 // attached
}

func (f *faults) state() (error, chan struct{}, bool, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail, f.hold, f.panics, f.during
}

func (f *faults) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *faults) Prompt() bool { return true }

func (f *faults) Publish(ctx context.Context, m *hub.Message, o hub.PublishOptions) (hub.Published, error) {
	f.set(func() { f.keys = append(f.keys, o.Key) })
	fail, _, panics, _ := f.state()
	if panics {
		panic("the broker is out of order")
	}
	if fail != nil {
		return hub.Published{}, fail
	}
	return f.Broker.Publish(ctx, m, o)
}

func (f *faults) Attach(ctx context.Context, channel string, r hub.Retention) error {
	if _, hold, _, _ := f.state(); hold != nil {
		<-hold
	}
	if fail, _, _, _ := f.state(); fail != nil {
		return fail
	}
	return f.Broker.Attach(ctx, channel, r)
}

func (f *faults) History(ctx context.Context, channel string, r hub.Retention, q hub.HistoryQuery) (hub.HistoryPage, error) {
	fail, _, _, during := f.state()
	if during != nil {
		during()
	}
	if fail != nil {
		return hub.HistoryPage{}, fail
	}
	return f.Broker.History(ctx, channel, r, q)
}

// logs keeps what was logged, as JSON lines.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// world is a hub with a registry on a real broker.
type world struct {
	t        testing.TB
	hub      *hub.Hub
	registry *Registry
	broker   *faults
	logs     *logs
	config   Config
}

func newWorld(t testing.TB, limits Limits, rooms ...policy.Room) *world {
	t.Helper()
	w := &world{t: t, broker: new(faults), logs: new(logs)}
	var err error
	w.hub, err = hub.New(func(s hub.Sink) (hub.Broker, error) {
		w.broker.Broker = memory.New(s, memory.Options{})
		return w.broker, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.hub.Close(); err != nil {
			t.Error(err)
		}
	})
	w.registry = New(w.hub)
	log := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.apply(Config{Policy: blocks(t, rooms...), Limits: limits, Logger: log})
	return w
}

func blocks(t testing.TB, rooms ...policy.Room) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(rooms)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// open makes rooms in which everybody may do everything.
func open(patterns ...string) []policy.Room {
	var rooms []policy.Room
	for _, p := range patterns {
		rooms = append(rooms, policy.Room{Pattern: p, Subscribe: policy.Anyone, Publish: policy.Anyone})
	}
	return rooms
}

// kept is an open room with history.
func kept(pattern string, size int) policy.Room {
	r := open(pattern)[0]
	r.History.Size = size
	return r
}

func (w *world) apply(c Config) {
	w.config = c
	w.hub.Apply(hub.Settings{Room: c.Policy.Options})
	w.registry.Apply(c)
}

// rules swaps the policy and keeps the rest.
func (w *world) rules(rooms ...policy.Room) {
	c := w.config
	c.Policy = blocks(w.t, rooms...)
	w.apply(c)
}

// inBubble runs a test on fake time.
func inBubble(t *testing.T, limits Limits, rooms []policy.Room, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, limits, rooms...)) })
}

// frames is the native dialect, a line for each event.
type frames struct{}

func (*frames) AppendEvent(dst []byte, ev hub.Event) []byte {
	n := len(dst)
	if dst = protocol.AppendEnvelope(dst, ev); len(dst) > n {
		dst = append(dst, '\n')
	}
	return dst
}
func (*frames) AppendPing(dst []byte) []byte { return dst }
func (*frames) AppendClose(dst []byte, r hub.Reason) []byte {
	return fmt.Appendf(dst, `{"close":%d}`+"\n", r.Code)
}

var native hub.Encoder = new(frames)

// wire is a transport that keeps what was written.
type wire struct {
	once   sync.Once
	closed chan struct{}

	mu  sync.Mutex
	out strings.Builder
}

func newWire() *wire { return &wire{closed: make(chan struct{})} }

func (w *wire) Write(p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(p)
	return nil
}

func (w *wire) Close() { w.once.Do(func() { close(w.closed) }) }

// take gives the lines written since the last call.
func (w *wire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.TrimSuffix(w.out.String(), "\n")
	w.out.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// client is the other end of a session.
type client struct {
	*Session
	t       testing.TB
	wire    *wire
	reasons []hub.Reason // of OnClose; read after synctest.Wait
}

func (w *world) dial(p *Principal, change ...func(*Options)) (*client, *protocol.Error) {
	c := &client{t: w.t, wire: newWire()}
	o := Options{Transport: c.wire, Encoder: native, Dialect: dialect, Name: "websocket"}
	o.OnClose = func(r hub.Reason) { c.reasons = append(c.reasons, r) }
	for _, f := range change {
		f(&o)
	}
	var e *protocol.Error
	c.Session, e = w.registry.Open(p, o)
	return c, e
}

// connect opens a session and reads its `connected`.
func (w *world) connect(user string, change ...func(*Options)) *client {
	w.t.Helper()
	c, e := w.dial(&Principal{Subject: policy.Subject{User: user}, IP: netip.MustParseAddr("192.0.2.1")}, change...)
	if e != nil {
		w.t.Fatal(e)
	}
	synctest.Wait()
	if got := c.wire.take(); len(got) != 1 || !strings.Contains(got[0], `"type":"connected"`) {
		w.t.Fatalf("the greeting is %q", got)
	}
	return c
}

func (c *client) say(frames ...string) {
	for _, f := range frames {
		c.Receive([]byte(f), false)
	}
}

// hears compares what was written since the last call. Times, epochs, anchors and
// the texts of errors do not count.
func (c *client) hears(want ...string) {
	c.t.Helper()
	synctest.Wait()
	got := c.wire.take()
	for i := range got {
		got[i] = plain(c.t, got[i])
	}
	for i := range want {
		want[i] = plain(c.t, want[i])
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("heard\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func plain(t testing.TB, frame string) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(frame), &v); err != nil {
		t.Fatalf("%q: %v", frame, err)
	}
	scrub(v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func scrub(v map[string]any) {
	for _, key := range []string{"timestamp", "epoch", "anchor", "seq"} {
		delete(v, key)
	}
	if _, coded := v["code"]; coded {
		delete(v, "message")
	}
	for _, inner := range slices.Collect(maps.Values(v)) {
		switch inner := inner.(type) {
		case map[string]any:
			scrub(inner)
		case []any:
			for _, m := range inner {
				if m, ok := m.(map[string]any); ok {
					scrub(m)
				}
			}
		}
	}
}

// failure is the frame of an error. The id is JSON, empty for none.
func failure(id string, code protocol.Code) string {
	if id != "" {
		id = `"id":` + id + `,`
	}
	return fmt.Sprintf(`{"type":"error",%s"payload":{"code":%q}}`, id, code)
}

// named is a principal with nothing but a user.
func named(user string) *Principal { return &Principal{Subject: policy.Subject{User: user}} }
