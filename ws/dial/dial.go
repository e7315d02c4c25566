// Package dial opens WebSockets as a client, for the command line. It is not part of package
// ws, because a server has no use for it. It stands below ws so that there is one door to
// gorilla/websocket.
//
// One goroutine at a time may send on a connection, and one may read.
package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// maxMessage bounds what one message of the server may have, in bytes.
	maxMessage = 16 << 20
	// writeLimit bounds how long a message may wait for the network.
	writeLimit = 10 * time.Second
	// maxReason bounds how much of the body of a rejection is kept, in bytes.
	maxReason = 4 << 10
)

// Conn is an open WebSocket.
type Conn struct{ ws *websocket.Conn }

// Rejected is the error of a handshake that the server answered with something else than 101.
type Rejected struct {
	Status int
	Header http.Header
	Body   string // its beginning
}

func (r *Rejected) Error() string {
	return fmt.Sprintf("the handshake was answered with %d %s", r.Status, http.StatusText(r.Status))
}

// Open makes the handshake at an http or https URL. The error is a *[Rejected] if the
// server answered.
func Open(ctx context.Context, url string, header http.Header) (*Conn, error) {
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment, ReadBufferSize: 1024, WriteBufferSize: 1024}
	ws, answer, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(url, "http"), header)
	if errors.Is(err, websocket.ErrBadHandshake) && answer != nil {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, maxReason)) // its beginning is enough
		return nil, &Rejected{Status: answer.StatusCode, Header: answer.Header, Body: string(body)}
	}
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxMessage)
	return &Conn{ws: ws}, nil
}

// Send sends a text message.
func (c *Conn) Send(text []byte) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	return c.ws.WriteMessage(websocket.TextMessage, text)
}

// Next returns the next message. It answers pings meanwhile.
func (c *Conn) Next() ([]byte, error) {
	_, text, err := c.ws.ReadMessage()
	return text, err
}

// Close ends the connection without a close handshake. A second call does nothing.
func (c *Conn) Close() { _ = c.ws.Close() }
