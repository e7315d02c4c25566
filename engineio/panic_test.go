package engineio

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// unwritable is a link with a bug in each write, and unclosable one with a bug in its end.
type (
	unwritable struct{}
	unclosable struct{ unwritable }
)

func (unwritable) Write([]byte) error { panic("a bug") }

func (unwritable) Close() {}

func (unclosable) Close() { panic("a bug") }

// mute is the dialect of clients who get nothing.
type mute struct{}

func (mute) Encoder() hub.Encoder { return mute{} }

func (mute) Receive(*session.Session, []byte, bool) {}

func (mute) AppendEvent(dst []byte, _ hub.Event) []byte { return dst }

func (mute) AppendPing(dst []byte) []byte { return dst }

func (mute) AppendClose(dst []byte, _ hub.Reason) []byte { return dst }

// newCarrier returns a session without requests, whose hub logs to log.
func newCarrier(t *testing.T, log *panictest.Log) *carrier {
	t.Helper()
	h, err := hub.New(func(hub.Sink) (hub.Broker, error) { return none{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	h.Apply(hub.Settings{Logger: log.Logger()})
	t.Cleanup(func() { _ = h.Close() })
	o := Options{Registry: session.New(h), Sessions: new(Sessions), Dialect: func() session.Dialect { return mute{} }}
	c, e := o.start(&session.Principal{})
	if e != nil {
		t.Fatal(e)
	}
	return c
}

// none is a broker that has nothing.
type none struct{ hub.Broker }

func (none) Close() error { return nil }

// A write that panics costs the connection.
func TestPanicInAWrite(t *testing.T) {
	t.Parallel()
	log := new(panictest.Log)
	c := newCarrier(t, log)
	c.mu.Lock()
	c.link, c.writing = unwritable{}, true
	c.mu.Unlock()
	failed := make(chan error, 1)
	c.WhenWritable(time.Hour, func(err error) { failed <- err })
	c.write(unwritable{}, []byte("\x81\x012"))
	if err := <-failed; err == nil {
		t.Error("the hub goes on writing")
	}
	<-c.session.Context().Done()
	log.Once(t, "a write to a client of Engine.IO", "a bug")
}

// An upgrade whose end panics costs nothing else.
func TestPanicInAnUpgrade(t *testing.T) {
	t.Parallel()
	log := new(panictest.Log)
	c := newCarrier(t, log)
	p := c.join(unclosable{}).(*probe)
	c.mu.Lock()
	p.due = time.Now()
	p.timer.Reset(0)
	c.mu.Unlock()
	for end := time.Now().Add(10 * time.Second); len(log.Panics(t, "an upgrade of a client of Engine.IO")) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	log.Once(t, "an upgrade of a client of Engine.IO", "a bug")
	if c.session.Context().Err() != nil {
		t.Error("the session is over")
	}
}

// The end of a session that panics is logged.
func TestPanicInTheEndOfASession(t *testing.T) {
	log := panictest.Default(t)
	new(Sessions).removeAfter(0, nil)
	for end := time.Now().Add(10 * time.Second); len(log.Panics(t, "the end of a polling session")) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	log.Once(t, "the end of a polling session", "runtime error: invalid memory address or nil pointer dereference")
}
