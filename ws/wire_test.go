package ws_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Opcodes, and the FIN bit.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xA
	fin        = 0x80
)

// frame is one WebSocket frame as it stands on the wire.
type frame struct {
	head    byte // FIN, RSV bits and opcode
	masked  bool
	payload []byte
}

// wire is a client that can do everything wrong.
type wire struct {
	t  testing.TB
	rw io.ReadWriter
	in *bufio.Reader
}

func newWire(t testing.TB, rw io.ReadWriter) *wire {
	return &wire{t: t, rw: rw, in: bufio.NewReader(rw)}
}

// dial connects and shakes hands over HTTP/1.1.
func dial(t testing.TB, addr string) *wire {
	t.Helper()
	w, res := handshake(t, addr, nil)
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", res.Status)
	}
	return w
}

const testKey = "dGhlIHNhbXBsZSBub25jZQ=="

// handshake sends a handshake with changed headers (an empty value removes one) and
// whatever is to follow in the same packet.
func handshake(t testing.TB, addr string, change map[string]string, early ...byte) (*wire, *http.Response) {
	t.Helper()
	h := map[string]string{
		"Host": addr, "Connection": "keep-alive, Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": testKey,
	}
	request := "GET /realtime HTTP/1.1\r\n"
	for k, v := range change {
		h[k] = v
	}
	if line := h["request"]; line != "" {
		request = line + "\r\n"
		delete(h, "request")
	}
	for k, v := range h {
		if v != "" {
			request += k + ": " + v + "\r\n"
		}
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // a test that hangs should say where
	if _, err := conn.Write(append([]byte(request+"\r\n"), early...)); err != nil {
		t.Fatal(err)
	}
	w := newWire(t, conn)
	res, err := http.ReadResponse(w.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w, res
}

// encode makes a client's frame.
func (f frame) encode() []byte {
	b := []byte{f.head, 0}
	switch n := len(f.payload); {
	case n < 126:
		b[1] = byte(n)
	case n <= 0xFFFF:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if !f.masked {
		return append(b, f.payload...)
	}
	b[1] |= 0x80
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i, c := range f.payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

func text(s string) []byte { return control(opText, s) }

func control(op byte, payload string) []byte {
	return frame{fin | op, true, []byte(payload)}.encode()
}

func closing(code uint16, text string) []byte {
	return control(opClose, string(binary.BigEndian.AppendUint16(nil, code))+text)
}

func (w *wire) send(frames ...[]byte) {
	w.t.Helper()
	for _, f := range frames {
		if _, err := w.rw.Write(f); err != nil {
			w.t.Fatal(err)
		}
	}
}

// sent is send for frames that the server may not want to read to the end.
func (w *wire) sent(frames ...[]byte) {
	for _, f := range frames {
		if _, err := w.rw.Write(f); err != nil {
			return
		}
	}
}

// frame reads a server's frame and checks what holds for all of them.
func (w *wire) frame() (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return frame{}, err
	}
	if head[0]&fin == 0 || head[1]&0x80 != 0 {
		return frame{}, errors.New("fragmented or masked frame of a server")
	}
	n := uint64(head[1])
	var long [8]byte
	switch n {
	case 126:
		_, _ = io.ReadFull(w.in, long[:2])
		n = uint64(binary.BigEndian.Uint16(long[:]))
	case 127:
		_, _ = io.ReadFull(w.in, long[:])
		n = binary.BigEndian.Uint64(long[:])
	}
	f := frame{head: head[0], payload: make([]byte, n)}
	_, err := io.ReadFull(w.in, f.payload)
	return f, err
}

// next reads the next frame that is no ping.
func (w *wire) next() frame {
	w.t.Helper()
	for {
		f, err := w.frame()
		if err != nil {
			w.t.Fatalf("no frame: %v", err)
		}
		if f.head != fin|opPing {
			return f
		}
	}
}

// envelope is what all envelopes have in common, and the payload of the few that
// these tests look into.
type envelope struct {
	Type    string
	ID      string
	Payload struct {
		Connection, Channel, Code string
		Content                   json.RawMessage
	}
}

// expect reads envelopes up to one of a type.
func (w *wire) expect(kind string) envelope {
	w.t.Helper()
	for {
		f := w.next()
		var e envelope
		if err := json.Unmarshal(f.payload, &e); f.head != fin|opText || err != nil {
			w.t.Fatalf("waiting for %s: frame %#x %q", kind, f.head, f.payload)
		}
		if e.Type == kind {
			return e
		}
	}
}

// join subscribes to a channel.
func (w *wire) join(channel string) {
	w.t.Helper()
	w.send(text(`{"type":"subscribe","payload":{"channel":"` + channel + `"}}`))
	w.expect("subscribed")
}

// closed reads up to the close frame.
func (w *wire) closed() (code uint16, text string) {
	w.t.Helper()
	for {
		f, err := w.frame()
		if err != nil {
			w.t.Fatalf("no close frame: %v", err)
		}
		if f.head == fin|opClose {
			return binary.BigEndian.Uint16(f.payload), string(f.payload[2:])
		}
	}
}

// wantClosed checks the close frame, and that nothing but the end follows it.
func (w *wire) wantClosed(code uint16, part string) {
	w.t.Helper()
	c, text := w.closed()
	if c != code || !strings.Contains(text, part) {
		w.t.Errorf("closed with %d %q, want %d %q", c, text, code, part)
	}
	w.wantEnd()
}

// wantEnd checks that the server ends its side, then ends the client's.
func (w *wire) wantEnd() {
	w.t.Helper()
	rest, err := io.ReadAll(w.in)
	_ = w.rw.(io.Closer).Close()
	if err != nil && !errors.Is(err, io.ErrClosedPipe) || len(rest) > 0 {
		w.t.Errorf("after the close: %d bytes, %v; want a clean end", len(rest), err)
	}
}
