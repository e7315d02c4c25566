package floor

import (
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/internal/poller"
)

// Park makes a connection a WebSocket and leaves it in the poller that this server uses too, or
// over TLS in its watch. Every message of the client gets the same short answer. So the
// difference between Park and this server is what this server does for a client.
func Park(w http.ResponseWriter, r *http.Request) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(conn, accept(r.Header)); err != nil {
		return errors.Join(err, conn.Close())
	}
	if c := poller.Take(conn); c != nil {
		return errors.Join(conn.Close(), c.Start(&parked{c}))
	}
	if w := poller.NewWatch(conn); w != nil {
		return w.Wait(&watched{conn, w})
	}
	return errors.Join(errors.New("the poller can not take the connection"), conn.Close())
}

// parked is a plain connection.
type parked struct{ conn *poller.Conn }

// Readable implements [poller.Handler].
func (p *parked) Readable() {
	var buf [512]byte
	for {
		n, err := p.conn.TryRead(buf[:])
		if err == nil && isText(buf[:n]) {
			_, err = p.conn.TryWrite([]byte(subscribed))
		}
		if err != nil {
			_ = p.conn.Close()
		}
		if err != nil || !p.conn.Left() {
			return
		}
	}
}

// watched is a connection over TLS.
type watched struct {
	conn  net.Conn
	watch *poller.Watch
}

// Readable implements [poller.Handler].
func (w *watched) Readable() {
	var buf [512]byte
	n, err := w.conn.Read(buf[:])
	if err == nil && isText(buf[:n]) {
		_, err = io.WriteString(w.conn, subscribed)
	}
	if err == nil {
		err = w.watch.Wait(w)
	}
	if err != nil {
		w.watch.Stop()
		_ = w.conn.Close()
	}
}

func isText(b []byte) bool { return len(b) > 0 && b[0] == 0x81 }
