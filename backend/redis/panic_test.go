package redis

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// panickySink is a sink of everything that panics some times, and then counts the calls.
type panickySink struct {
	mu     sync.Mutex
	panics int // how often it will still panic
	came   int
}

func (c *panickySink) take() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.panics > 0 {
		c.panics--
		panic("clumsy")
	}
	c.came++
}

func (c *panickySink) left() (panics, came int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.panics, c.came
}

func (c *panickySink) Broadcast(string, ...*hub.Message)          { c.take() }
func (c *panickySink) Changed(string, ...presence.Event)          { c.take() }
func (c *panickySink) Missed(string)                              {}
func (c *panickySink) Informed()                                  {}
func (c *panickySink) Respond([]byte) ([]byte, error)             { c.take(); return []byte("x"), nil }
func (c *panickySink) Forwarded([]byte) ([]byte, error)           { c.take(); return []byte("x"), nil }
func (c *panickySink) Execute([]byte, time.Duration) (int, error) { c.take(); return 1, nil }

// panickyDocumentSink is a panickySink of documents.
type panickyDocumentSink struct{ *panickySink }

func (s panickyDocumentSink) Changed(string, string, ...document.Entry) { s.take() }

// The sink panics: in the reader of the subscription, in a repair, with an order. The
// connection stays, and later messages are delivered.
func TestPanicOfWhoeverTakes(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(t *testing.T, o Options, c *panickySink) (again func()){
		"messages": func(t *testing.T, o Options, c *panickySink) func() {
			b := open(t, o).Broker(c)
			t.Cleanup(func() { b.Close() })
			if err := b.Attach(t.Context(), "room", kept); err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := b.Publish(t.Context(), message("room", 1), hub.PublishOptions{Retention: kept}); err != nil {
					t.Error(err)
				}
			}
		},
		"members": func(t *testing.T, o Options, c *panickySink) func() {
			p := open(t, o).Presence(c)
			t.Cleanup(func() { p.Close() })
			if err := p.Attach(t.Context(), "room"); err != nil {
				t.Fatal(err)
			}
			m, n := newMembers(t, o), 0
			return func() { n++; m.setMember("room", string(rune('a'+n%26)), n%52 < 26) }
		},
		"changes": func(t *testing.T, o Options, c *panickySink) func() {
			s := open(t, o).Documents(panickyDocumentSink{c})
			t.Cleanup(func() { s.Close() })
			if err := s.Attach(t.Context(), "doc"); err != nil {
				t.Fatal(err)
			}
			l, n := newLibrary(t, o), 0
			return func() { n++; l.set("doc", "a", n) }
		},
		"orders": func(t *testing.T, o Options, c *panickySink) func() {
			k := open(t, o).Control(c)
			t.Cleanup(k.Close)
			a := newServant(t, o, 1).awaitReady(t)
			return func() {
				if _, err := a.Order(t.Context(), hub.Order{Body: []byte("x")}); err != nil {
					t.Error(err)
				}
			}
		},
		"frames of other programs": func(t *testing.T, o Options, c *panickySink) func() {
			in, err := open(t, o).Intake(IntakeOptions{Channels: []string{"news"}, Take: func(string, string) (here, all func(context.Context)) {
				return nil, func(context.Context) { c.take() }
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(in.Close)
			s := open(t, quickOptions(o.Address)).shards[0]
			return func() { s.do(t, "publish", "news", "x") }
		},
		"questions": func(t *testing.T, o Options, c *panickySink) func() {
			k := open(t, o).Control(c)
			t.Cleanup(k.Close)
			a := newServant(t, o, 1).awaitReady(t)
			return func() {
				if _, err := a.Ask(t.Context(), []byte("x")); err != nil {
					t.Error(err)
				}
			}
		},
		"requests for one node": func(t *testing.T, o Options, c *panickySink) func() {
			k := open(t, o).Control(c)
			t.Cleanup(k.Close)
			a := newServant(t, o, 1).awaitReady(t)
			return func() { _, _ = a.Forward(t.Context(), k.Node(), []byte("x")) } // no reply after a panic
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := quickOptions(startServer(t).Addr)
			heard := new(logRecorder)
			o.Logger = heard.logger()
			c := &panickySink{panics: 3}
			again := begin(t, o, c)
			eventually(t, "it is taken after three panics", func() bool {
				again()
				panics, came := c.left()
				return panics == 0 && came > 0
			})
			if n := heard.count("panic in"); n != 3 {
				t.Errorf("%d panics were logged: %s", n, heard.said())
			}
			if n := heard.count("is lost"); n > 0 {
				t.Errorf("the connection was lost: %s", heard.said())
			}
		})
	}
}

// bomb panics when it is written to a connection.
type bomb struct{}

func (bomb) MarshalBinary() ([]byte, error) { panic("bomb") }

// A command that panics costs only its batch: its callers get an error, and later commands are
// executed.
func TestPanicOfCommand(t *testing.T) {
	t.Parallel()
	o := patientOptions(startServer(t).Addr)
	heard := new(logRecorder)
	o.Logger = heard.logger()
	batch := open(t, o).shards[0].batch
	for i := range 3 * maxSenders { // a connection that is not returned to the pool would be missing
		if _, err := batch.do(t.Context(), &call{args: []any{"set", "any", bomb{}}}); !errors.Is(err, hub.ErrUnavailable) {
			t.Fatalf("%d: %v", i, err)
		}
		if v, err := batch.do(t.Context(), &call{args: []any{"incr", "n"}}); err != nil || v != int64(i+1) {
			t.Fatalf("%d: %v, %v", i, v, err)
		}
	}
	if n := heard.count("panic in commands"); n != 3*maxSenders {
		t.Errorf("%d panics were logged", n)
	}
}
