package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// wire reads bytes of a connection into a buffer that grows as needed.
type wire struct {
	conn net.Conn
	buf  []byte // of which the first have bytes are filled
	have int
}

// smallest is the size of a buffer at first; most connections are idle.
const smallest = 512

// fill reads more bytes. A buffer that gets full is doubled, up to 64 KiB before there
// is a need for more.
func (w *wire) fill() error {
	if w.have == len(w.buf) {
		w.buf = append(w.buf, make([]byte, max(smallest, len(w.buf)))...)
	}
	n, err := w.conn.Read(w.buf[w.have:])
	w.have += n
	if w.have == len(w.buf) && len(w.buf) < 64<<10 {
		w.buf = append(w.buf, make([]byte, len(w.buf))...)
	}
	return err
}

// drop forgets the first n bytes.
func (w *wire) drop(n int) { w.have = copy(w.buf, w.buf[n:w.have]) }

// head reads the head of an HTTP response, which must have the given status.
func (w *wire) head(status string) (string, error) {
	for {
		if head, _, ok := bytes.Cut(w.buf[:w.have], []byte("\r\n\r\n")); ok {
			text := string(head)
			if !strings.HasPrefix(text, "HTTP/1.1 "+status+" ") {
				return "", fmt.Errorf("the server answers %q", text)
			}
			w.drop(len(head) + 4)
			return text, nil
		}
		if w.have > 64<<10 {
			return "", errors.New("an endless head")
		}
		if err := w.fill(); err != nil {
			return "", err
		}
	}
}

const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// nextFrame returns the first frame of b and its length in all, 0 if b has no whole frame.
func nextFrame(b []byte) (op byte, payload []byte, size int) {
	if len(b) < 2 {
		return 0, nil, 0
	}
	n, at := int(b[1]&127), 2
	switch {
	case n == 126 && len(b) >= 4:
		n, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case n == 127 && len(b) >= 10:
		n, at = int(binary.BigEndian.Uint64(b[2:])), 10
	case n >= 126:
		return 0, nil, 0
	}
	if len(b) < at+n {
		return 0, nil, 0
	}
	return b[0] & 15, b[at : at+n], at + n
}

// maskedFrame returns a whole frame of a client.
func maskedFrame(op byte, payload []byte) []byte {
	f := append(make([]byte, 0, len(payload)+14), 0x80|op)
	switch n := len(payload); {
	case n < 126:
		f = append(f, 0x80|byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(n))
	}
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d} // what costs a server is that there is one
	f = append(f, key[:]...)
	for i, c := range payload {
		f = append(f, c^key[i&3])
	}
	return f
}

// unchunk takes the chunked encoding off the bytes that it reads.
type unchunk struct {
	wire *wire
	left int // bytes of the current chunk
}

func (u *unchunk) Read(p []byte) (int, error) {
	for {
		if u.left > 0 && u.wire.have > 0 {
			n := copy(p, u.wire.buf[:min(u.left, u.wire.have)])
			u.left -= n
			u.wire.drop(n)
			return n, nil
		}
		line, _, ok := bytes.Cut(u.wire.buf[:u.wire.have], []byte("\r\n"))
		switch {
		case u.left == 0 && ok && len(line) == 0: // the end of the chunk before
			u.wire.drop(2)
		case u.left == 0 && ok:
			if _, err := fmt.Sscanf(string(line), "%x", &u.left); err != nil {
				return 0, err
			}
			u.wire.drop(len(line) + 2)
			if u.left == 0 {
				return 0, io.EOF
			}
		default:
			if err := u.wire.fill(); err != nil {
				return 0, err
			}
		}
	}
}
