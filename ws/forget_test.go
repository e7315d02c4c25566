package ws_test

import (
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// handler stands for the module of one configuration.
type handler struct {
	node   *node
	config [1 << 10]byte
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := h.node.options()
	o.KeepStream = func(_ http.ResponseWriter, r *http.Request) io.Reader {
		h.config[0]++
		return r.Body
	}
	o.Logger = slog.New(slog.DiscardHandler).With("config", h)
	if err := ws.Serve(&plainWriter{&recordWriter{plainWriter: plainWriter{w}}}, r, o); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// TestConnectionForgetsItsHandshake holds a connection open and waits until the
// request, the writers and the handler it came through were freed. With one of
// them a whole configuration would live as long as the connection.
func TestConnectionForgetsItsHandshake(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	var left atomic.Int32
	track := func(string) { left.Add(-1) }
	addr := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, outer := &handler{node: n}, &plainWriter{w}
		left.Store(4)
		runtime.AddCleanup(h, track, "handler")
		runtime.AddCleanup(outer, track, "outer writer")
		runtime.AddCleanup(r, track, "request")
		inner := &recordWriter{plainWriter: plainWriter{outer}}
		runtime.AddCleanup(inner, track, "inner writer")
		h.ServeHTTP(inner, r)
	}))
	w := dial(t, addr)
	w.expect("connected")
	for end := time.Now().Add(10 * time.Second); left.Load() > 0; runtime.Gosched() {
		if runtime.GC(); time.Now().After(end) {
			t.Fatalf("%d of 4 are still referenced", left.Load())
		}
	}
	w.send(text(`{"type":"ping"}`))
	w.expect("pong")
}
