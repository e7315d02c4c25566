package drills

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/http2"

	// The client learns that the server speaks WebSocket over HTTP/2.
	_ "github.com/caddy-realtime/caddy-realtime/internal/xconnect"
)

// h2Dialer makes WebSockets over HTTP/2, many of which share a connection. URLs of theirs begin
// with http, although the server has TLS: the dialer sees to that.
func h2Dialer(t *testing.T) *websocket.Dialer {
	tr := &http2.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	t.Cleanup(tr.CloseIdleConnections)
	return &websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) {
		return &h2Conn{transport: tr}, nil
	}}
}

// h2Conn is a stream of HTTP/2 that looks like a connection of HTTP/1.1: it takes the request of
// the WebSocket package, sends it as an extended CONNECT (RFC 8441), and makes up the answer.
type h2Conn struct {
	transport *http2.Transport

	// Owned by whoever uses the connection before the handshake is over.
	request bytes.Buffer
	answer  bytes.Buffer

	leave context.CancelFunc
	out   *io.PipeWriter
	in    io.ReadCloser
}

func (c *h2Conn) Write(p []byte) (int, error) {
	if c.out != nil {
		return c.out.Write(p)
	}
	c.request.Write(p)
	if !bytes.HasSuffix(c.request.Bytes(), []byte("\r\n\r\n")) {
		return len(p), nil
	}
	return len(p), c.connect()
}

func (c *h2Conn) connect() error {
	head := make(map[string]string)
	lines := bytes.Split(c.request.Bytes(), []byte("\r\n"))
	for _, line := range lines[1:] {
		name, value, _ := bytes.Cut(line, []byte(": "))
		head[string(name)] = string(value)
	}
	first := bytes.Fields(lines[0])
	if len(first) != 3 {
		return fmt.Errorf("not a request: %q", lines[0])
	}
	body, out := io.Pipe()
	ctx, leave := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodConnect, "https://"+head["Host"]+string(first[1]), body)
	if err != nil {
		leave()
		return err
	}
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	res, err := c.transport.RoundTrip(r)
	if err != nil {
		leave()
		return err
	}
	c.out, c.in, c.leave = out, res.Body, leave
	if res.StatusCode != http.StatusOK {
		fmt.Fprintf(&c.answer, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", res.Status)
		return nil
	}
	sum := sha1.Sum([]byte(head["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(&c.answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return nil
}

func (c *h2Conn) Read(p []byte) (int, error) {
	if c.answer.Len() > 0 {
		return c.answer.Read(p)
	}
	if c.in == nil {
		return 0, errors.New("nothing was asked for")
	}
	return c.in.Read(p)
}

func (c *h2Conn) Close() error {
	if c.in == nil {
		return nil
	}
	c.leave()
	_ = c.out.Close()
	return c.in.Close()
}

func (c *h2Conn) LocalAddr() net.Addr              { return new(net.TCPAddr) }
func (c *h2Conn) RemoteAddr() net.Addr             { return new(net.TCPAddr) }
func (c *h2Conn) SetDeadline(time.Time) error      { return nil }
func (c *h2Conn) SetReadDeadline(time.Time) error  { return nil }
func (c *h2Conn) SetWriteDeadline(time.Time) error { return nil }
