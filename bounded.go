package realtime

import (
	"net"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// stuckAfter is how long after its deadline a write over HTTP/2 may take to fail.
const stuckAfter = 5 * time.Second

// bounded is the writer of an answer over HTTP/2. There a write whose deadline has passed
// fails when the stream is reset, and the frame that resets it waits behind what the
// connection does not take. When that takes too long, nobody gets anything over this
// connection any more, and it is closed.
type bounded struct {
	http.ResponseWriter
	conn net.Conn

	cut *time.Timer // nil: no write had a deadline
}

// bound gives the writer for an answer, and what to do when the answer is complete.
func bound(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, func()) {
	conn := connOf(r)
	if r.ProtoMajor != 2 || conn == nil {
		return w, func() {}
	}
	b := &bounded{ResponseWriter: w, conn: conn}
	return b, b.end
}

// Unwrap is for [http.ResponseController].
func (b *bounded) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// SetWriteDeadline bounds the writes that follow.
func (b *bounded) SetWriteDeadline(at time.Time) error {
	if b.cut != nil {
		b.cut.Stop()
	}
	b.cut = time.AfterFunc(time.Until(at)+stuckAfter, b.sever)
	return http.NewResponseController(b.ResponseWriter).SetWriteDeadline(at)
}

func (b *bounded) sever() {
	defer guard.Recover(nil, "a connection that takes no answer")
	_ = b.conn.Close()
}

// end has the rest of the answer written while the connection can still be closed: the
// server would do it after the handler. Where no write had a deadline there may be no
// answer yet, because an error route is to give it.
func (b *bounded) end() {
	if b.cut == nil {
		return
	}
	_ = http.NewResponseController(b.ResponseWriter).Flush() // the client is gone if this fails
	b.cut.Stop()
}
