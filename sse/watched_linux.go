package sse

import (
	"errors"
	"os"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/poller"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// recordGrace is how long the reader waits for the rest of a TLS record. After that, the rest waits
// in the poller like a next record.
const recordGrace = 100 * time.Millisecond

// past is a deadline that has passed. With it, a TLS connection returns the bytes that it has and
// reads none from the wire.
var past = time.Unix(1, 0)

// watched waits in the poller for the client of a TLS stream to disconnect, so that no goroutine
// does.
type watched struct {
	*hijacked // static
	wire      *poller.Watch
	client    *hub.Conn

	heard int // bytes that the client has sent; owned by the goroutine that reads
}

// watchWire makes a stream wait in the poller. It returns false, and has done nothing, if the poller
// can not wait for its connection.
func watchWire(t *hijacked, c *hub.Conn) bool {
	wire := poller.NewWatch(t.conn)
	if wire == nil {
		return false
	}
	w := &watched{hijacked: t, wire: wire, client: c}
	defer recoverReader(c, t.hub)
	t.whenClosed(wire.Stop)
	w.read(past)
	return true
}

// Readable implements [poller.Handler].
func (w *watched) Readable() {
	defer recoverReader(w.client, w.hub)
	w.read(time.Now().Add(recordGrace))
}

// read drops what arrives before a deadline, and what the TLS connection has read beyond it. Then
// it waits in the poller.
func (w *watched) read(due time.Time) {
	var buf [64]byte
	for ; ; due = past {
		_ = w.conn.SetReadDeadline(due) // Read returns the error
		n, err := w.conn.Read(buf[:])
		w.heard += n
		switch {
		case w.heard > maxChatter:
			w.client.Close(protocol.ReasonPolicy)
			return
		case n > 0: // the next Read returns the error again
		case !errors.Is(err, os.ErrDeadlineExceeded) || w.wire.Wait(w) != nil:
			w.client.Close(hub.ReasonLost)
			return
		default:
			return
		}
	}
}
