package pace

import (
	"io"
	"net/http"
	"sync"
)

// portion is how much of an HTTP/3 write outlives a connection that ends during the write.
const portion = 4 << 10

// Portions returns a writer to w that leaves no more than 4 KiB behind if the client goes.
// w is the writer of the answer to r. quic-go keeps the slice of a write that the end of
// the connection interrupts. It also keeps the connection until its idle timer fires, five
// minutes after the client has gone, and no limit counts that memory. So an HTTP/3 stream
// gets small copies, one after the other. Other versions of HTTP keep nothing; for them
// Portions returns w itself.
func Portions(w io.Writer, r *http.Request) io.Writer {
	if r.ProtoMajor != 3 {
		return w
	}
	return portions{w}
}

// portions writes in copies. It has no state.
type portions struct{ w io.Writer }

var copies = sync.Pool{New: func() any { return new([portion]byte) }}

// Write returns how much of p was written. A copy that could not be written is not used
// again: the stream may still refer to it.
func (w portions) Write(p []byte) (n int, err error) {
	c := copies.Get().(*[portion]byte)
	for n < len(p) {
		m, err := w.w.Write(c[:copy(c[:], p[n:])])
		n += m
		if err != nil {
			return n, err
		}
	}
	copies.Put(c)
	return n, nil
}
