package conformance

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 says so
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// The opcodes of RFC 6455 that are used here.
const (
	opText, opBinary        = 1, 2
	opClose, opPing, opPong = 8, 9, 10
)

// maxMessage bounds what a server may send in one message, in bytes.
const maxMessage = 16 << 20

// socket is the client's end of a WebSocket. It is written here, and not taken from a
// library, because the checks send what a library would not let them send.
type socket struct {
	conn    net.Conn
	in      *bufio.Reader
	answer  *http.Response
	timeout time.Duration
	pongs   []string // the payloads of the pongs that came
	pings   int      // how many pings came
	mute    bool     // answer no pings
	deflate bool     // compression was agreed on
	packed  int      // how many messages came compressed
}

// closed is the error of a connection that the server has closed with a code.
type closed struct {
	Code   uint16
	Reason string
}

func (c closed) Error() string {
	return fmt.Sprintf("the server closed the connection with %d %q", c.Code, c.Reason)
}

// rejectedHandshake is the error of a handshake that the server has answered with another status.
type rejectedHandshake struct {
	status int
	body   string
}

func (r rejectedHandshake) Error() string {
	return fmt.Sprintf("the handshake was answered with %d: %s", r.status, r.body)
}

// dial makes the handshake at an http or https URL.
func dial(address string, header http.Header, timeout time.Duration) (*socket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := connect(u, timeout)
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, in: bufio.NewReader(conn), timeout: timeout}
	if err := s.handshake(u, header); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func connect(u *url.URL, timeout time.Duration) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	port := u.Port()
	if u.Scheme == "http" {
		if port == "" {
			port = "80"
		}
		return d.Dial("tcp", net.JoinHostPort(u.Hostname(), port))
	}
	if port == "" {
		port = "443"
	}
	return tls.DialWithDialer(d, "tcp", net.JoinHostPort(u.Hostname(), port), &tls.Config{NextProtos: []string{"http/1.1"}})
}

func (s *socket) handshake(u *url.URL, header http.Header) error {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	key := base64.StdEncoding.EncodeToString(nonce)
	r := &http.Request{Method: "GET", URL: u, Host: u.Host, Header: header}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", key)
	_ = s.conn.SetDeadline(time.Now().Add(s.timeout))
	if err := r.Write(s.conn); err != nil {
		return err
	}
	answer, err := http.ReadResponse(s.in, r)
	if err != nil {
		return err
	}
	s.answer = answer
	if answer.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 500)) // its beginning is enough
		return rejectedHandshake{answer.StatusCode, string(body)}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 says so
	if want := base64.StdEncoding.EncodeToString(sum[:]); answer.Header.Get("Sec-WebSocket-Accept") != want {
		return errors.New("the handshake was answered with a wrong Sec-WebSocket-Accept")
	}
	return nil
}

// write sends a frame that is a whole message.
func (s *socket) write(op byte, payload []byte) error { return s.frame(0x80|op, payload) }

// frame sends a frame with a first byte of the caller's.
func (s *socket) frame(first byte, payload []byte) error {
	return s.raw(masked(first, payload))
}

// raw sends bytes as they are.
func (s *socket) raw(out []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.timeout))
	_, err := s.conn.Write(out)
	return err
}

// masked returns a frame of a client.
func masked(first byte, payload []byte) []byte {
	mask := [4]byte{0x5a, 0xc3, 0x96, 0x0f}
	out := []byte{first}
	switch n := len(payload); {
	case n < 126:
		out = append(out, 0x80|byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
	}
	out = append(out, mask[:]...)
	for i, b := range payload {
		out = append(out, b^mask[i%4])
	}
	return out
}

// message reads the next text message, joins its fragments and answers pings on the way. It waits for
// the timeout at most: pings do not make it longer. The error is a [closed] if the server closed the
// connection.
func (s *socket) message() ([]byte, error) {
	var whole []byte
	packed := false
	end := time.Now().Add(s.timeout)
	for {
		first, payload, err := s.receive(end)
		if err != nil {
			return nil, err
		}
		switch op := first & 0x0f; op {
		case opPing:
			if s.pings++; s.mute {
				continue
			}
			if err := s.write(opPong, payload); err != nil {
				return nil, err
			}
		case opPong:
			s.pongs = append(s.pongs, string(payload))
		case opClose:
			return nil, asClosed(payload)
		case opText, 0:
			packed = packed || first&rsv1 != 0
			if whole = append(whole, payload...); first&0x80 == 0 {
				continue
			}
			if packed {
				s.packed++
				return inflate(whole)
			}
			return whole, nil
		default:
			return nil, fmt.Errorf("the server sent a frame with the opcode %d", op)
		}
	}
}

func asClosed(payload []byte) error {
	if len(payload) < 2 {
		return closed{Code: 1005}
	}
	return closed{binary.BigEndian.Uint16(payload), string(payload[2:])}
}

// receive reads a frame, and waits no longer than to a time.
func (s *socket) receive(end time.Time) (first byte, payload []byte, err error) {
	_ = s.conn.SetReadDeadline(end)
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:2]); err != nil {
		return 0, nil, err
	}
	first = head[0]
	if bits := first & 0x70; head[1]&0x80 != 0 || bits != 0 && !(s.deflate && first&0x7f == rsv1|opText) {
		return 0, nil, fmt.Errorf("the server sent a frame that begins with %x: masked, or with a bit that was not agreed on", head[:2])
	}
	size := uint64(head[1])
	if n := map[byte]int{126: 2, 127: 8}[head[1]]; n > 0 {
		var long [8]byte
		if _, err := io.ReadFull(s.in, long[8-n:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(long[:])
	}
	if size > maxMessage {
		return 0, nil, fmt.Errorf("the server sent a frame of %d bytes", size)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(s.in, payload)
	return first, payload, err
}

// wantClose reads up to the close frame, which has to have a code.
func (s *socket) wantClose(code uint16) {
	for {
		_, err := s.message()
		if err == nil {
			continue
		}
		var c closed
		if !errors.As(err, &c) || c.Code != code {
			fail("waited for a close with %d: %v", code, err)
		}
		return
	}
}

func (s *socket) close() { _ = s.conn.Close() }
