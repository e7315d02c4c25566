package caddyhost

import (
	"net"
	"net/http"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// stuckAfter is how long after its deadline a write over HTTP/2 may take to fail.
const stuckAfter = 5 * time.Second

// bounded is the writer of an answer over HTTP/2. There a write fails after its deadline
// by a reset of the stream, and the frame that resets it waits behind what the connection
// does not take. If that takes too long, the connection delivers nothing to anybody, and
// it is closed.
type bounded struct {
	http.ResponseWriter
	conn net.Conn

	cut *time.Timer // nil: no write had a deadline
}

// Bound returns the writer for an answer, and what to call when the answer is complete.
func Bound(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, func()) {
	conn := ConnOf(r)
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

// end writes the rest of the answer while the connection can still be closed. The server
// would write it after the handler. If no write had a deadline, there may be no answer
// yet, because an error route gives it.
func (b *bounded) end() {
	if b.cut == nil {
		return
	}
	_ = http.NewResponseController(b.ResponseWriter).Flush() // the client is gone if this fails
	b.cut.Stop()
}
