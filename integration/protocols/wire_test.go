package protocols

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"
)

const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
	fin     = 0x80
	masked  = 0x80
)

// wire is the client's end of a WebSocket, over whatever carries its frames.
type wire struct {
	t    testing.TB
	name string
	out  io.WriteCloser
	in   *bufio.Reader
}

// envelope is what the server says.
type envelope struct {
	Type    string
	Payload struct {
		Connection, Channel, Code, Reason string
		Content                           json.RawMessage
		After                             int
	}
}

// send sends a frame with an empty mask, which leaves the payload as it is.
func (w *wire) send(op byte, payload string) {
	w.t.Helper()
	if len(payload) > 125 {
		w.t.Fatalf("%s: a payload of %d bytes does not fit into a short frame", w.name, len(payload))
	}
	frame := append([]byte{fin | op, masked | byte(len(payload)), 0, 0, 0, 0}, payload...)
	if _, err := w.out.Write(frame); err != nil {
		w.t.Fatalf("%s: %v", w.name, err)
	}
}

// receive reads a frame of the server, and answers pings on the way.
func (w *wire) receive() (op byte, payload []byte) {
	w.t.Helper()
	for {
		if op, payload = w.frame(); op != opPing {
			return op, payload
		}
		w.send(opPong, string(payload))
	}
}

func (w *wire) frame() (op byte, payload []byte) {
	w.t.Helper()
	var head [2]byte
	w.read(head[:])
	size := uint64(head[1])
	if n := map[byte]int{126: 2, 127: 8}[head[1]]; n > 0 {
		var long [8]byte
		w.read(long[8-n:])
		size = binary.BigEndian.Uint64(long[:])
	}
	payload = make([]byte, size)
	w.read(payload)
	return head[0] &^ fin, payload
}

func (w *wire) read(p []byte) {
	w.t.Helper()
	if _, err := io.ReadFull(w.in, p); err != nil {
		w.t.Fatalf("%s: %v", w.name, err)
	}
}

// expect reads the next envelope, which has to be of a type.
func (w *wire) expect(kind string) (e envelope) {
	w.t.Helper()
	op, payload := w.receive()
	if err := json.Unmarshal(payload, &e); op != opText || err != nil || e.Type != kind {
		w.t.Fatalf("%s: got opcode %d, %q instead of %s", w.name, op, payload, kind)
	}
	return e
}

// subscribe is the beginning of a conversation.
func (w *wire) subscribe(channel string) {
	w.t.Helper()
	w.expect("connected")
	w.send(opText, `{"type":"subscribe","id":1,"payload":{"channel":"`+channel+`"}}`)
	w.expect("subscribed")
}

// wantClose reads the close frame that comes next, answers it and wants the end of
// the stream.
func (w *wire) wantClose(code uint16) {
	w.t.Helper()
	op, payload := w.receive()
	if op != opClose || len(payload) < 2 || binary.BigEndian.Uint16(payload) != code {
		w.t.Fatalf("%s: got opcode %d, %q instead of a close with %d", w.name, op, payload, code)
	}
	w.send(opClose, string(payload[:2]))
	w.wantEnd()
}

// wantEnd wants the stream to end without an error.
func (w *wire) wantEnd() {
	w.t.Helper()
	if rest, err := io.ReadAll(w.in); err != nil || len(rest) > 0 {
		w.t.Errorf("%s: the stream ends with %q, %v", w.name, rest, err)
	}
	_ = w.out.Close()
}

// exchange lets each of several clients that are subscribed to the channel publish,
// and wants all of them to receive it.
func exchange(t testing.TB, wires []*wire, channel, about string) {
	t.Helper()
	for _, from := range wires {
		content := `"` + about + ` over ` + from.name + `"`
		from.send(opText, `{"type":"message","payload":{"channel":"`+channel+`","content":`+content+`}}`)
		for _, to := range wires {
			if got := to.expect("message").Payload.Content; string(got) != content {
				t.Errorf("%s received %s instead of %s", to.name, got, content)
			}
		}
	}
}
