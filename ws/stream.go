package ws

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/httpwriter"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
)

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// stream is the link of an extended CONNECT of HTTP/2 or HTTP/3. The request's body
// and the response are its two directions; it ends with the handler.
type stream struct {
	ending

	// Static.
	hub  *hub.Hub
	body io.Reader
	// reads sets deadlines through the whole chain of writers, because a server may replace
	// a deadline that is set below its own idle timeout.
	reads *http.ResponseController
	// out and writes are the server's own writer. The writers above it are for the handler's
	// goroutine only, and another goroutine aborts a write that is stuck.
	out    io.Writer
	writes *http.ResponseController
	done   chan struct{} // closed when the stream was cut
	stuck  func()        // called when a write is cut short

	writeMu sync.Mutex  // held during a write
	watch   *time.Timer // aborts a write that takes too long; guarded by writeMu
	left    bool        // the handler is returning; guarded by writeMu

	readMu sync.Mutex
	ended  bool // the last deadline is set; guarded by readMu
}

// newStream checks that the chain of writers supports deadlines and flushes. Without them a
// stuck stream could not be aborted.
func newStream(h *hub.Hub, w http.ResponseWriter, r *http.Request, body io.Reader) (*stream, error) {
	base := httpwriter.Innermost(w)
	s := &stream{
		hub: h, body: body, out: pace.Portions(base, r), done: make(chan struct{}), stuck: func() {},
		reads:  http.NewResponseController(w),
		writes: http.NewResponseController(base),
	}
	s.cut = s.cutStream
	if !flushes(base) || s.reads.SetReadDeadline(time.Time{}) != nil || s.writes.SetWriteDeadline(time.Time{}) != nil {
		return nil, fmt.Errorf("ws: the response writer %T does not give access to the stream: it has no Unwrap and cannot flush or set deadlines", base)
	}
	return s, nil
}

func flushes(w http.ResponseWriter) bool {
	switch w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return true
	}
	return false
}

// Read is called by the reader alone.
func (s *stream) Read(p []byte) (int, error) { return s.body.Read(p) }

func (s *stream) SetReadDeadline(t time.Time) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.ended {
		return net.ErrClosed
	}
	return s.reads.SetReadDeadline(t)
}

// Write writes all of p within the hub's write timeout.
func (s *stream) Write(p []byte) error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if s.left || !s.beginWrite() {
		return net.ErrClosed // the server panics on a write after its handler
	}
	s.startWatch()
	_, err := s.out.Write(p)
	if err == nil {
		err = s.writes.Flush()
	}
	s.watch.Stop()
	s.endWrite(err)
	return err
}

// startWatch starts the time for one write. A write deadline does not work here: HTTP/2 resets
// the stream when it passes, even without a write, and to set and clear it costs two messages
// to the connection's goroutine.
func (s *stream) startWatch() {
	timeout := s.hub.Settings().WriteTimeout
	if s.watch == nil {
		s.watch = time.AfterFunc(timeout, s.late)
		return
	}
	s.watch.Reset(timeout)
}

// cutStream aborts a blocked read, and also a blocked write if there is one. Without a blocked
// write it sets no write deadline, because that would reset an HTTP/2 stream that ends cleanly.
func (s *stream) cutStream(writing bool) {
	defer close(s.done) // also after a panic: the handler waits for it
	s.readMu.Lock()
	defer s.readMu.Unlock()
	s.ended = true
	_ = s.reads.SetReadDeadline(past)
	if writing {
		_ = s.writes.SetWriteDeadline(past)
		s.stuck()
	}
}

// leave waits until the stream was cut and no goroutine uses the writer any more. Then the
// handler may return. The reader has finished before.
func (s *stream) leave() {
	<-s.done
	s.writeMu.Lock()
	s.left = true
	s.writeMu.Unlock()
}
