package client

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestStampIsFoundInWhateverIsAround(t *testing.T) {
	t.Parallel()
	want := Stamp{Intended: 1234567 * time.Microsecond, Sender: 4999, Seq: 70000}
	text := want.Text(128)
	if len(text) != 128 {
		t.Errorf("%d bytes", len(text))
	}
	if got, ok := find([]byte(`{"a":"@x","content":"` + string(text) + `"}`)); !ok || got != want {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, bad := range []string{"", "@@", "@@" + strings.Repeat("0", 31), "@@" + strings.Repeat("g", 32)} {
		if _, ok := find([]byte(bad)); ok {
			t.Errorf("%q has a stamp", bad)
		}
	}
}

func TestCheckerCountsEachFault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		arrived []uint32
		lost    int64 // of 4
	}{
		{"all", []uint32{0, 1, 2, 3}, 0},
		{"none", nil, 4},
		{"a hole", []uint32{0, 1, 3}, 1},
		{"the end", []uint32{0, 1, 2}, 1},
		{"twice", []uint32{0, 1, 1, 2, 3}, 1},
		{"out of order", []uint32{0, 2, 1, 3}, 2}, // one did not come in order, one came too late
	} {
		c := new(conn)
		for _, seq := range test.arrived {
			c.check.see(7, seq)
		}
		c.check.see(8, 0) // another sender has numbers of its own
		g := &Group{conns: []*conn{c}}
		if got := g.Lost(1, 5); got != test.lost {
			t.Errorf("%s: %d, want %d", test.name, got, test.lost)
		}
	}
}

func TestFramesOfEachLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte{'x'}, n)
		masked := maskedFrame(opText, payload)
		// What a server sends has neither the bit nor the key of a mask.
		head := len(masked) - n - 4
		plain := append(bytes.Clone(masked[:head]), payload...)
		plain[1] &^= 0x80
		op, got, size := nextFrame(append(plain, 0x89))
		if op != opText || !bytes.Equal(got, payload) || size != len(plain) {
			t.Errorf("%d bytes: op %d, %d bytes, size %d", n, op, len(got), size)
		}
		if _, _, size := nextFrame(plain[:len(plain)-1]); size != 0 {
			t.Errorf("%d bytes: a frame that is not whole has size %d", n, size)
		}
		for i, c := range masked[head+4:] {
			if c^masked[head+i&3] != 'x' {
				t.Fatalf("%d bytes: byte %d is masked wrongly", n, i)
			}
		}
	}
}

// The pieces in which a body arrives do not matter.
func TestUnchunk(t *testing.T) {
	t.Parallel()
	const body = "5\r\nhello\r\n1\r\n \r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"
	for piece := 1; piece <= len(body); piece++ {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for rest := []byte(body); len(rest) > 0; {
				n, err := theirs.Write(rest[:min(piece, len(rest))])
				if err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		got, err := io.ReadAll(&unchunk{wire: &wire{conn: ours}})
		if string(got) != "hello 0123456789" || err != nil {
			t.Fatalf("in pieces of %d: %q, %v", piece, got, err)
		}
		ours.Close()
	}
}

func TestFlightLandsWithLastCopy(t *testing.T) {
	t.Parallel()
	g, f := new(Group), NewFlight(1)
	g.Watch(f)
	f.Start(0, 64, 2)
	text := Stamp{Seq: 64}.Text(64)
	g.received(new(conn), text, Now())
	select {
	case <-f.Landed[0]:
		t.Fatal("one of two copies is enough")
	default:
	}
	g.received(new(conn), text, Now())
	<-f.Landed[0]
	if g.Arrived() != 2 {
		t.Errorf("%d copies arrived", g.Arrived())
	}
}

// A server that answers with an error makes Open fail, and leaves nothing open.
func TestOpenReturnsAnswer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	for _, transport := range []Transport{WebSocket, Stream} {
		_, err = Open(context.Background(), &Endpoint{Addr: l.Addr().String(), Dialect: Plain}, Plan{Transport: transport, Clients: 3, PerRoom: 3, AtOnce: 1})
		if err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: %v", transport, err)
		}
	}
}
