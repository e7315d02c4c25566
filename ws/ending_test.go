package ws

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/panictest"
)

// TestEnding walks through the orders in which a connection can end.
func TestEnding(t *testing.T) {
	t.Parallel()
	fail := errors.New("broken pipe")
	for _, c := range []struct {
		name    string
		do      func(e *ending)
		cut     bool // at the end of do
		later   bool // or after linger
		writing bool // the cut finds a write that is stuck
	}{
		{"nothing", func(e *ending) {}, false, false, false},
		{"a write", func(e *ending) { e.beginWrite(); e.endWrite(nil) }, false, false, false},
		{"the hub is through", func(e *ending) { e.Close() }, false, true, false},
		{"the hub says it twice", func(e *ending) { e.Close(); e.Close() }, false, true, false},
		{"the reader is through", func(e *ending) { e.readerDone() }, false, false, false},
		{"first the hub", func(e *ending) { e.Close(); e.readerDone() }, true, false, false},
		{"first the reader", func(e *ending) { e.readerDone(); e.Close() }, true, false, false},
		{"a failed write", func(e *ending) { e.beginWrite(); e.endWrite(fail); e.Close() }, true, false, false},
		{"a stuck write", func(e *ending) { e.beginWrite(); e.Close() }, true, false, true},
		{"abort", func(e *ending) { e.abort() }, true, false, false},
		{"abort of a stuck write", func(e *ending) { e.beginWrite(); e.abort() }, true, false, true},
		{"everything", func(e *ending) { e.Close(); e.abort(); e.readerDone(); e.Close(); e.abort() }, true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var cuts atomic.Int32
				var stuck atomic.Bool
				e := ending{cut: func(writing bool) { cuts.Add(1); stuck.Store(writing) }}
				want := func(when string, cut bool) {
					t.Helper()
					synctest.Wait()
					if n := cuts.Load(); n > 1 || (n == 1) != cut {
						t.Errorf("%s: cut %d times", when, n)
					}
				}
				c.do(&e)
				want("at once", c.cut)
				time.Sleep(linger - 1)
				want("before the client's time was over", c.cut)
				time.Sleep(time.Hour)
				want("in the end", c.cut || c.later)
				if stuck.Load() != c.writing {
					t.Errorf("cut with writing %v", stuck.Load())
				}
			})
		})
	}
}

func TestNoWriteAfterTheEnd(t *testing.T) {
	t.Parallel()
	closed := ending{cut: func(bool) {}}
	closed.Close()
	aborted := ending{cut: func(bool) {}}
	aborted.abort()
	if closed.beginWrite() || aborted.beginWrite() {
		t.Error("a write could begin")
	}
	closed.abort()
}

// A cut that panics when the time is up costs nothing but its connection.
func TestCutThatPanics(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		cuts := 0
		e := ending{cut: func(bool) { cuts++; panic("cut") }}
		e.Close()
		time.Sleep(2 * linger)
		synctest.Wait()
		if cuts != 1 {
			t.Errorf("cut %d times", cuts)
		}
		log.Once(t, "the end of a WebSocket", "cut")
	})
}

// The handler of a stream returns though the cut of a stuck write panics.
func TestCutOfAStreamThatPanics(t *testing.T) {
	log := panictest.Default(t)
	synctest.Test(t, func(t *testing.T) {
		c := http.NewResponseController(httptest.NewRecorder())
		s := &stream{reads: c, writes: c, done: make(chan struct{}), stuck: func() { panic("stuck") }}
		s.cut = s.cutStream
		s.beginWrite()
		go s.late()
		s.leave()
		synctest.Wait()
		log.Once(t, "the end of a WebSocket", "stuck")
	})
}
