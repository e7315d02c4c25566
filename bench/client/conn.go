package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Transport is how a client is connected.
type Transport string

// The transports.
const (
	WebSocket Transport = "websocket"
	Stream    Transport = "sse"
)

// conn is one client. Its group's goroutine reads it.
type conn struct {
	net     net.Conn
	room    string
	dialect *Dialect
	wire    wire
	stream  io.Reader  // the body of an event stream
	write   sync.Mutex // held while a frame is written
	stalled atomic.Bool
	check   checker // its reader's alone until the group is closed
	told    *Told   // of all clients of the plan; nil if nobody asks
}

// open connects the i-th client of a plan and subscribes it to its room.
func open(ctx context.Context, e *Endpoint, i int, plan Plan) (*conn, error) {
	control := lateBind
	if i >= plan.Clients-plan.Slow {
		control = smallBuffer
	}
	raw, err := e.dial(ctx, i, control)
	if err != nil {
		return nil, err
	}
	c := &conn{told: plan.Told, net: raw, room: plan.Room(i), dialect: &e.Dialect, wire: wire{conn: raw}}
	if plan.Transport == Stream {
		err = c.openStream(e)
	} else {
		subscribe := e.Subscribe
		if plan.Subscribe != nil {
			subscribe = plan.Subscribe(i)
		}
		err = c.openWebSocket(e, i, inRoom(subscribe, c.room))
	}
	if err == nil {
		err = raw.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) openWebSocket(e *Endpoint, i int, subscribe string) error {
	if _, err := fmt.Fprintf(c.net, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", inRoom(e.WebSocket, c.room), e.Addr); err != nil {
		return err
	}
	if _, err := c.wire.head("101"); err != nil || subscribe == "" && e.Join == nil {
		return err
	}
	if e.Join != nil {
		greeting, err := c.message()
		if err != nil {
			return err
		}
		subscribe = inRoom(e.Join(i, greeting), c.room)
	}
	if e.Begin != "" {
		if err := c.send(opText, []byte(e.Begin)); err != nil {
			return err
		}
	}
	if err := c.send(opText, []byte(subscribe)); err != nil {
		return err
	}
	for {
		payload, err := c.message()
		if err != nil {
			return err
		}
		c.told.read(payload)
		switch {
		case bytes.Contains(payload, []byte(e.Subscribed)):
			c.told.see(payload) // what came before it says the same
			return nil
		case c.pong(payload):
		case bytes.Contains(payload, []byte(`error"`)):
			return fmt.Errorf("the server answers %q", payload)
		}
	}
}

// message returns the next message before the connection is subscribed.
func (c *conn) message() ([]byte, error) {
	for {
		if op, payload, size := nextFrame(c.wire.buf[:c.wire.have]); size > 0 {
			text := bytes.Clone(payload)
			c.wire.drop(size)
			switch op {
			case opPing: // a subscription may take longer than the server waits for the answer
				if err := c.send(opPong, text); err != nil {
					return nil, err
				}
				continue
			case opClose:
				return nil, fmt.Errorf("the server closes with %q", text)
			}
			return text, nil
		}
		if err := c.wire.fill(); err != nil {
			return nil, err
		}
	}
}

func (c *conn) openStream(e *Endpoint) error {
	if _, err := fmt.Fprintf(c.net, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", inRoom(e.Stream, c.room), e.Addr); err != nil {
		return err
	}
	head, err := c.wire.head("200")
	if err == nil && strings.Contains(strings.ToLower(head), "transfer-encoding: chunked") {
		c.stream = &unchunk{wire: &c.wire}
	} else {
		c.stream = &unframed{wire: &c.wire}
	}
	return err
}

// unframed reads a body that ends with the connection.
type unframed struct{ wire *wire }

func (u *unframed) Read(p []byte) (int, error) {
	if u.wire.have == 0 {
		if err := u.wire.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.wire.buf[:u.wire.have])
	u.wire.drop(n)
	return n, nil
}

func (c *conn) send(op byte, payload []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.net.Write(maskedFrame(op, payload))
	return err
}

// pong answers a heartbeat that is a message, and reports whether it is one.
func (c *conn) pong(payload []byte) bool {
	if c.dialect.Ping == "" || string(payload) != c.dialect.Ping {
		return false
	}
	_ = c.send(opText, []byte(c.dialect.Pong)) // the reader sees the error
	return true
}

var errClosed = errors.New("the server closed the connection")

// run reads until the connection ends.
func (c *conn) run(g *Group) error {
	if c.stream != nil {
		return c.runStream(g)
	}
	for {
		at, now := 0, Now()
		for {
			op, payload, size := nextFrame(c.wire.buf[at:c.wire.have])
			if size == 0 {
				break
			}
			at += size
			switch op {
			case opPing:
				g.pings.Add(1)
				if err := c.send(opPong, payload); err != nil {
					return err
				}
			case opClose:
				return errClosed
			default:
				if c.pong(payload) {
					g.pings.Add(1)
					continue
				}
				c.told.read(payload)
				c.told.see(payload)
				g.received(c, payload, now)
			}
		}
		c.wire.drop(at)
		g.hold(c)
		if err := c.wire.fill(); err != nil {
			return err
		}
	}
}

func (c *conn) runStream(g *Group) error {
	lines := wire{conn: readerConn{c.net, c.stream}}
	for {
		at, now := 0, Now()
		for {
			line, _, ok := bytes.Cut(lines.buf[at:lines.have], []byte("\n"))
			if !ok {
				break
			}
			at += len(line) + 1
			if bytes.HasPrefix(line, []byte("data:")) {
				g.received(c, line, now)
			} else if bytes.HasPrefix(line, []byte(":")) {
				g.pings.Add(1)
			}
		}
		lines.drop(at)
		g.hold(c)
		if err := lines.fill(); err != nil {
			return err
		}
	}
}

// readerConn is a connection that is read through something else.
type readerConn struct {
	net.Conn
	r io.Reader
}

func (r readerConn) Read(p []byte) (int, error) { return r.r.Read(p) }
