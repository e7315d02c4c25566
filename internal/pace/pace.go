// Package pace bounds how long a client may take to send the body of a request, and to
// take an answer. A client that stops would otherwise keep what it was given, or has
// sent, in the memory of the server for as long as it likes. Over HTTP/3 it also bounds
// how much of an answer the server keeps after the client has gone.
//
// Its functions keep no state. The writer and the body belong to the goroutine of the
// handler, as always.
package pace

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// Grace is how long anything may take, however small it is.
	Grace = 10 * time.Second
	// Rate is what a client has to send or to take beyond that, in bytes per second: less
	// than the slowest network that a page works over.
	Rate = 16 << 10
)

// Allowance is how long n bytes may take.
func Allowance(n int) time.Duration {
	return Grace + time.Duration(n)*time.Second/Rate
}

// Answer bounds the time in which an answer of n bytes, which is about to be written, has to
// be taken. Writers that have no deadlines leave it to the server's own timeouts.
func Answer(w http.ResponseWriter, n int) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(Allowance(n)))
}

// Refusal is Answer for a request whose body may not have been read. The server reads
// some of it before it sends the answer, and waits for no more than this.
func Refusal(w http.ResponseWriter, n int) {
	Answer(w, n)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(Grace))
}

// Body reads the body of a request whose client has to keep pace. It is not used any
// more after an error.
type Body struct {
	// Static.
	body   io.Reader
	ctrl   *http.ResponseController
	begun  time.Time
	unable bool // the server has no deadlines for reading

	n int
}

// NewBody begins to count the time.
func NewBody(w http.ResponseWriter, body io.Reader) *Body {
	return &Body{body: body, ctrl: http.NewResponseController(w), begun: time.Now()}
}

// Read reads within the time that what was read so far has earned. The deadline is taken
// back at the end: over HTTP/2 one that passes later ends a request that is being
// answered.
func (b *Body) Read(p []byte) (int, error) {
	b.deadline(b.begun.Add(Allowance(b.n)))
	n, err := b.body.Read(p)
	b.n += n
	if errors.Is(err, io.EOF) {
		b.deadline(time.Time{})
	}
	return n, err
}

func (b *Body) deadline(at time.Time) {
	if !b.unable {
		b.unable = b.ctrl.SetReadDeadline(at) != nil
	}
}
