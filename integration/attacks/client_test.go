package attacks

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// envelope is what the server says.
type envelope struct {
	Type    string
	ID      json.RawMessage
	Payload struct {
		Connection, User, Channel, Event, Sender, Message string
		Code                                              string
		Duplicate                                         bool
		RetryAfter                                        int
		Content, Messages, From                           json.RawMessage
	}
}

// client is a WebSocket connection that may break every rule.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	user string // as `connected` has it
	id   string
}

func newClient(conn net.Conn) *client { return &client{conn: conn, in: bufio.NewReader(conn)} }

// connect opens a WebSocket, which ends with the test.
func (s target) connect(t testing.TB, header ...string) *client {
	t.Helper()
	c, a, err := s.open(t, header...)
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Fatalf("the handshake is answered with %v %s", a, a.body)
	}
	return c
}

// open is connect for handshakes that may be refused; the client is nil then.
func (s target) open(t testing.TB, header ...string) (*client, answer, error) {
	t.Helper()
	conn := s.dial(t)
	c := newClient(conn)
	a, err := c.shake(string(s), header)
	if err != nil || a.status != http.StatusSwitchingProtocols {
		_ = conn.Close()
		return nil, a, err
	}
	ev, err := c.next()
	if err == nil && ev.Type != "connected" {
		err = fmt.Errorf("the first frame is %+v", ev)
	}
	c.user, c.id = ev.Payload.User, ev.Payload.Connection
	return c, a, err
}

// shake does the handshake.
func (c *client) shake(host string, header []string) (a answer, err error) {
	if _, err = io.WriteString(c.conn, request{"GET", "/rt", handshake(header...), ""}.text(host)); err != nil {
		return a, err
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return a, err
	}
	a = answer{status: res.StatusCode, header: res.Header}
	if a.status != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(res.Body)
		a.body = string(body)
	}
	return a, nil
}

// The first bytes of frames.
const (
	headText   = 0x81
	headBinary = 0x82
	headClose  = 0x88
	headPing   = 0x89
	headPong   = 0x8A
)

// frame makes a client's frame. The mask is zero, so that the payload stays
// readable.
func frame(head byte, payload string) []byte {
	b := []byte{head}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// say sends a text frame.
func (c *client) say(t testing.TB, text string) {
	t.Helper()
	if _, err := c.conn.Write(frame(headText, text)); err != nil {
		t.Fatal(err)
	}
}

// closed is the error of a client whose server has said goodbye.
type closed struct {
	code uint16
	text string
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d", c.code) }

// next reads the next envelope, for up to patience.
func (c *client) next() (ev envelope, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		head, payload, err := c.frame()
		switch {
		case err != nil:
			return ev, err
		case head == headClose:
			return ev, closed{binary.BigEndian.Uint16(payload), string(payload[2:])}
		case head == headText:
			return ev, json.Unmarshal(payload, &ev)
		case head == headPing:
			if _, err := c.conn.Write(frame(headPong, "")); err != nil {
				return ev, err
			}
		}
	}
}

// nextMessage is next for those who only listen to messages.
func (c *client) nextMessage() (envelope, error) {
	for {
		if ev, err := c.next(); err != nil || ev.Type == "message" {
			return ev, err
		}
	}
}

// frame reads a server's frame.
func (c *client) frame() (head byte, payload []byte, err error) {
	var b [10]byte
	if _, err = io.ReadFull(c.in, b[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(b[1])
	switch n {
	case 126:
		_, err = io.ReadFull(c.in, b[2:4])
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		_, err = io.ReadFull(c.in, b[2:10])
		n = binary.BigEndian.Uint64(b[2:])
	}
	if err != nil || n > 16<<20 {
		return 0, nil, errors.Join(err, fmt.Errorf("a frame of %d bytes", n))
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.in, payload)
	return b[0], payload, err
}

// ask sends a command with the id "ask" and gives the answer, or the error of a frame
// of which not even the id was read.
func (c *client) ask(t testing.TB, command, payload string) envelope {
	t.Helper()
	c.say(t, `{"type":"`+command+`","id":"ask","payload":`+payload+`}`)
	for {
		ev, err := c.next()
		if err != nil {
			t.Fatalf("waiting for the answer to %s: %v", command, err)
		}
		if string(ev.ID) == `"ask"` || ev.Type == "error" && ev.ID == nil {
			return ev
		}
	}
}

// outcome is what an answer comes down to: the error's code, else the type.
func (e envelope) outcome() string {
	if e.Type == "error" {
		return e.Payload.Code
	}
	return e.Type
}

// fate reads to the end of the connection, and gives the code of the close frame.
func (c *client) fate() string {
	for {
		_, err := c.next()
		if end, ok := errors.AsType[closed](err); ok {
			return fmt.Sprint("closed ", end.code)
		}
		if err != nil {
			return "cut"
		}
	}
}

// lives reports whether the connection still answers.
func (c *client) lives(t testing.TB) bool {
	t.Helper()
	return c.ask(t, "ping", "{}").Type == "pong"
}
