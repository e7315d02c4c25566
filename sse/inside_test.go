package sse

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// slowWriter is a server's writer whose writes take some time, or fail when a deadline passes.
type slowWriter struct {
	http.ResponseWriter
	panics bool // a deadline panics

	mu    sync.Mutex
	takes time.Duration
	cut   chan struct{} // closed by a deadline
	set   int           // number of deadlines
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	takes, cut := w.takes, w.cut
	w.mu.Unlock()
	select {
	case <-time.After(takes):
		return len(p), nil
	case <-cut:
		return 0, os.ErrDeadlineExceeded
	}
}

func (w *slowWriter) SetWriteDeadline(time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.set++; w.panics {
		panic("a bug")
	}
	close(w.cut)
	w.cut = make(chan struct{})
	return nil
}

func (w *slowWriter) FlushError() error { return nil }

func (w *slowWriter) next(takes time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takes = takes
}

// inBubble runs a test of a stream inside its handler on fake time.
func inBubble(t *testing.T, s hub.Settings, w *slowWriter, test func(t *testing.T, stream *inside)) {
	synctest.Test(t, func(t *testing.T) {
		h, err := hub.New(func(s hub.Sink) (hub.Broker, error) { return memory.New(s, memory.Options{}), nil })
		if err != nil {
			t.Fatal(err)
		}
		h.Apply(s)
		w.ResponseWriter, w.cut = httptest.NewRecorder(), make(chan struct{})
		stream := newInside(w, httptest.NewRequest(http.MethodGet, "/", nil), Options{Registry: session.New(h)})
		stream.lift()
		test(t, stream)
		stream.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A write that takes longer than the write timeout is aborted. No other write costs a deadline,
// and none is aborted because another one was slow.
func TestSlowWritesAreAborted(t *testing.T) {
	t.Parallel()
	w := new(slowWriter)
	inBubble(t, hub.Settings{WriteTimeout: 10 * time.Second}, w, func(t *testing.T, stream *inside) {
		for range 3 {
			w.next(9 * time.Second)
			if err := stream.Write([]byte("x")); err != nil {
				t.Errorf("a write in time: %v", err)
			}
		}
		if w.set != 0 {
			t.Errorf("%d deadlines for writes in time", w.set)
		}
		w.next(time.Hour)
		began := time.Now()
		if err := stream.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// A panic in the abort of a write is logged, and leaves no lock behind.
func TestPanicInTheAbortOfAWrite(t *testing.T) {
	t.Parallel()
	log, w := new(panictest.Log), &slowWriter{panics: true}
	inBubble(t, hub.Settings{WriteTimeout: time.Second, Logger: log.Logger()}, w, func(t *testing.T, stream *inside) {
		for _, takes := range []time.Duration{2 * time.Second, 0} { // the first one is aborted in vain
			w.next(takes)
			if err := stream.Write([]byte("x")); err != nil {
				t.Error(err)
			}
		}
		log.Once(t, "a stuck write of an event stream", "a bug")
	})
}
