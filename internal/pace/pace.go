// Package pace limits how long a client may take to send the body of a request, and to take
// an answer. A client that stops would otherwise keep the body or the answer in the server's
// memory for as long as it likes. Over HTTP/3 the package also limits how much of an answer
// the server keeps after the client has gone.
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
	// Grace is the time that even the smallest body or answer may take.
	Grace = 10 * time.Second
	// Rate is how many bytes per second a client must send or take beyond that: less than
	// the slowest network that a page works over.
	Rate = 16 << 10
)

// Allowance returns how long n bytes may take.
func Allowance(n int) time.Duration {
	return Grace + time.Duration(n)*time.Second/Rate
}

// Answer limits the time in which the client must take an answer of n bytes that is about
// to be written. For writers without deadlines, the server's own timeouts apply.
func Answer(w http.ResponseWriter, n int) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(Allowance(n)))
}

// Rejection is Answer for a request whose body may not have been read. The server reads some
// of the body before it sends the answer, and Rejection limits that wait as well.
func Rejection(w http.ResponseWriter, n int) {
	Answer(w, n)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(Grace))
}

// Body reads the body of a request whose client must keep pace. It is not used after an
// error.
type Body struct {
	// Static.
	body   io.Reader
	ctrl   *http.ResponseController
	start  time.Time
	unable bool // the server has no deadlines for reading

	n int
}

// NewBody starts to count the time.
func NewBody(w http.ResponseWriter, body io.Reader) *Body {
	return &Body{body: body, ctrl: http.NewResponseController(w), start: time.Now()}
}

// Read reads within the time that the bytes read so far allow. At the end it removes the
// deadline: over HTTP/2 a deadline that passes later ends the request while it is being
// answered.
func (b *Body) Read(p []byte) (int, error) {
	b.deadline(b.start.Add(Allowance(b.n)))
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
