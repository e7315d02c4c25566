package ws_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// header makes the header of a masked frame that claims n bytes.
func header(head byte, n uint64) []byte {
	b := []byte{head, 0x80 | 127}
	switch {
	case n <= 125:
		b[1] = 0x80 | byte(n)
	case n <= 0xFFFF:
		b[1] = 0x80 | 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return append(b, 0, 0, 0, 0)
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.limit(session.Limits{MessageSize: 1000})
	addr := listen(t, n)
	masked := func(head byte, payload string) []byte { return frame{head, true, []byte(payload)}.encode() }
	for _, c := range []struct {
		name   string
		frames []byte
		code   uint16
		text   string
	}{
		{"claims an exabyte", header(fin|opText, 1<<60), 1009, "1000 bytes"},
		{"claims a negative length", header(fin|opText, 1<<63), 1002, "first bit"},
		{"one byte too long", text(strings.Repeat("x", 1001)), 1009, "1000 bytes"},
		{"fragments too long together", append(masked(opText, strings.Repeat("x", 999)), header(fin|opContinue, 2)...), 1009, "1000 bytes"},
		{"binary", control(opBinary, "x"), 1003, "binary"},
		{"long binary", header(fin|opBinary, 900), 1003, "binary"},
		{"bad opcode", control(0x3, "x"), 1002, "opcode 3"},
		{"bad control opcode", control(0xB, ""), 1002, "opcode 11"},
		{"reserved bit", masked(fin|0x40|opText, "x"), 1002, "RSV1"},
		{"unmasked", frame{fin | opText, false, []byte("x")}.encode(), 1002, "MASK"},
		{"fragmented ping", masked(opPing, "x"), 1002, "FIN"},
		{"long ping", control(opPing, strings.Repeat("x", 126)), 1002, "control"},
		{"continuation of nothing", masked(opContinue, "x"), 1002, "continuation"},
		{"message within a message", append(masked(opText, "x"), text("y")...), 1002, "FIN"},
		{"bad close code", closing(1006, ""), 1002, "close code"},
		{"close text not UTF-8", closing(1000, "\xff"), 1007, "UTF-8"},
		{"flood of pings", bytes.Repeat(control(opPing, "x"), 100), 1008, "control frames"},
		{"flood of pongs", bytes.Repeat(control(opPong, ""), 100), 1008, "control frames"},
		{"empty fragments", append(masked(opText, ""), bytes.Repeat(masked(opContinue, ""), 5000)...), 1008, "fragments"},
		{"tiny fragments", append(masked(opText, "x"), bytes.Repeat(masked(opContinue, "x"), 5000)...), 1009, "1000 bytes"},
		{"junk", []byte("GET / HTTP/1.1\r\n\r\n"), 1002, "broken frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := dial(t, addr)
			w.expect("connected")
			w.sent(c.frames)
			w.wantClosed(c.code, c.text)
		})
	}
}

// Bad messages in good frames are the session's business and cost an answer.
func TestBadMessagesSurvive(t *testing.T) {
	t.Parallel()
	w := dial(t, listen(t, newNode(t, hub.Settings{})))
	w.expect("connected")
	for _, m := range []string{"", "{", `{"type":"nonsense"}`} {
		w.send(text(m))
		w.expect("error")
	}
	w.send(text(`{"type":"ping","id":"still here"}`))
	w.expect("pong")
}

// Tiny fragments are fine as long as there are not absurdly many.
func TestFragments(t *testing.T) {
	t.Parallel()
	w := dial(t, listen(t, newNode(t, hub.Settings{})))
	w.expect("connected")
	m := `{"type":"ping","id":"in many pieces"}`
	w.send(frame{opText, true, nil}.encode())
	for i := range m {
		w.send(frame{opContinue, true, []byte{m[i]}}.encode(), frame{opContinue, true, nil}.encode())
	}
	w.send(control(opPing, "between"), frame{fin | opContinue, true, nil}.encode())
	if f := w.next(); f.head != fin|opPong || string(f.payload) != "between" {
		t.Errorf("frame %#x %q, want the pong", f.head, f.payload)
	}
	w.expect("pong")
}

// Pings are answered with their payload, in order with everything else.
func TestPings(t *testing.T) {
	t.Parallel()
	w := dial(t, listen(t, newNode(t, hub.Settings{})))
	w.expect("connected")
	w.send(control(opPing, "a"), text(`{"type":"ping"}`), control(opPing, ""), control(opPing, strings.Repeat("z", 125)))
	for _, want := range []string{"a", "", "", strings.Repeat("z", 125)} {
		f := w.next()
		if f.head == fin|opText {
			continue
		}
		if f.head != fin|opPong || string(f.payload) != want {
			t.Errorf("frame %#x %q, want a pong %q", f.head, f.payload, want)
		}
	}
}

// The limit is the one in force when a message comes, not when the reader began
// to wait for it.
func TestMessageSizeFollowsReload(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	w := dial(t, listen(t, n))
	w.expect("connected")
	long := text(`{"type":"ping","id":"x","payload":{"fill":"` + strings.Repeat("x", 200) + `"}}`)
	w.send(long)
	w.expect("pong")
	n.limit(session.Limits{MessageSize: 100})
	w.sent(long)
	w.wantClosed(1009, "100 bytes")
}

func TestSlowMessage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		send func(w *wire)
	}{
		{"stops within a frame", func(w *wire) {
			w.send(text(`{"type":"ping"}`)[:12])
		}},
		{"stops between fragments", func(w *wire) {
			w.send(frame{opText, true, []byte("{")}.encode())
		}},
		{"trickles", func(w *wire) {
			w.send(header(fin|opText, 1000))
			for range 1000 {
				if _, err := w.rw.Write([]byte(" ")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}},
		{"pings in between", func(w *wire) {
			w.send(frame{opText, true, []byte("{")}.encode())
			for range 100 {
				if _, err := w.rw.Write(control(opPing, "")); err != nil {
					return
				}
				time.Sleep(2 * time.Second)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newNode(t, hub.Settings{}).pipe(t)
				w.expect("connected")
				begin := time.Now()
				var sending sync.WaitGroup
				sending.Go(func() { c.send(w) })
				w.wantClosed(1008, "within 10s")
				sending.Wait()
				if took := time.Since(begin); took < 10*time.Second || took > 13*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// A message may take its time when no single one takes too long.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newNode(t, hub.Settings{Heartbeat: 1000 * time.Hour}).pipe(t)
		w.expect("connected")
		m := text(`{"type":"ping"}`)
		for range 10 {
			w.send(m[:10])
			time.Sleep(9 * time.Second)
			w.send(m[10:])
			w.expect("pong")
			time.Sleep(20 * time.Second)
		}
	})
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newNode(t, hub.Settings{Heartbeat: 2 * time.Second, Timeout: time.Second}).pipe(t)
		w.expect("connected")
		for range 100 { // far more pongs than are allowed without pings
			for {
				f, err := w.frame()
				if err != nil {
					t.Fatal(err)
				}
				if f.head == fin|opPing {
					break
				}
			}
			w.send(control(opPong, ""))
		}
		w.wantClosed(4501, "")
	})
}

// A client that vanishes is forgotten at once.
func TestLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, hub.Settings{})
		w := n.pipe(t)
		w.expect("connected")
		_ = w.rw.(io.Closer).Close()
		synctest.Wait()
		if got := n.hub.Conns(); got != 0 {
			t.Errorf("%d connections left", got)
		}
	})
}

// A client that reads nothing is given up after the write timeout.
func TestStuckWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, hub.Settings{WriteTimeout: 3 * time.Second})
		n.pipe(t)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got := n.hub.Conns(); got != 0 {
			t.Errorf("%d connections left", got)
		}
	})
}

// A session that is refused after the handshake is told so.
func TestNoRoomForASession(t *testing.T) {
	t.Parallel()
	n := newNode(t, hub.Settings{})
	n.limit(session.Limits{Connections: 1})
	addr := listen(t, n)
	dial(t, addr).expect("connected")
	dial(t, addr).wantClosed(1013, "too many connections")
}

// FuzzFrames sends anything at all. The connection has to live on or to end with a
// frame that says why; the process has to survive.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add(text(`{"type":"ping"}`))
	f.Add(slices.Concat(control(opPing, "x"), frame{opText, true, []byte("{")}.encode(), frame{fin | opContinue, true, []byte("}")}.encode()))
	f.Add(closing(1000, "bye"))
	f.Add(header(fin|opText, 1<<60))
	f.Add([]byte("\x81\xfe\x00\x01\x00\x00\x00\x00{"))
	f.Fuzz(func(t *testing.T, input []byte) {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t, hub.Settings{})
			w := n.pipe(t)
			w.expect("connected")
			go w.sent(input, closing(1000, ""))
			for {
				f, err := w.frame()
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if f.head == fin|opClose {
					w.wantEnd()
					break
				}
			}
			synctest.Wait()
			if got := n.hub.Conns(); got != 0 {
				t.Errorf("%d connections left", got)
			}
		})
	})
}
