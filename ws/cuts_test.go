package ws

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// script is a link whose client has said everything beforehand.
type script struct {
	ending
	reads [][]byte
	done  chan struct{} // closed when everything is over

	mu  sync.Mutex
	out bytes.Buffer
}

func newScript(input []byte, cuts []byte) *script {
	s := &script{done: make(chan struct{})}
	s.cut = func(bool) { close(s.done) }
	for _, c := range cuts {
		n := min(int(c)+1, len(input))
		s.reads, input = append(s.reads, input[:n]), input[n:]
	}
	s.reads = append(s.reads, input)
	return s
}

func (s *script) Write(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Write(p)
	return nil
}

func (s *script) Read(p []byte) (int, error) {
	for len(s.reads) > 0 && len(s.reads[0]) == 0 {
		s.reads = s.reads[1:]
	}
	if len(s.reads) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.reads[0])
	s.reads[0] = s.reads[0][n:]
	return n, nil
}

func (s *script) SetReadDeadline(time.Time) error { return nil }

// waitingScript is the same for a reader that borrows engines.
type waitingScript struct{ *script }

func (s waitingScript) await() (*[]byte, error) {
	b := getBuffer()
	n, err := s.Read((*b)[:cap(*b)])
	if *b = (*b)[:n]; err != nil {
		putBuffer(b)
		return nil, err
	}
	return b, nil
}

// answers are what the client is sent: the types of the envelopes, pongs, and the
// code of the close frame, 0 without one.
func (s *script) answers(t *testing.T) (types []string, code uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for b := s.out.Bytes(); len(b) > 0; {
		head, n := b[0], int(b[1])
		switch b = b[2:]; n {
		case 126:
			n, b = int(binary.BigEndian.Uint16(b)), b[2:]
		case 127:
			n, b = int(binary.BigEndian.Uint64(b)), b[8:]
		}
		payload := b[:n]
		b = b[n:]
		switch head {
		case headClose:
			return types, binary.BigEndian.Uint16(payload)
		case headPong:
			types = append(types, "pong frame "+string(payload))
		case headText:
			var e struct{ Type string }
			if err := json.Unmarshal(payload, &e); err != nil {
				t.Fatal(err)
			}
			types = append(types, e.Type)
		}
	}
	return types, 0
}

// FuzzCuts sends the same bytes whole and cut anywhere, to a reader that stays
// inside gorilla and to one that borrows engines. The client must not see a
// difference.
func FuzzCuts(f *testing.F) {
	hello := []byte("\x81\x8f\x00\x00\x00\x00" + `{"type":"ping"}`)
	ping := []byte("\x89\x81\x00\x00\x00\x00x")
	halves := []byte("\x01\x81\x00\x00\x00\x00{\x80\x8e\x00\x00\x00\x00" + `"type":"ping"}`)
	bye := []byte("\x88\x82\x00\x00\x00\x00\x03\xe8")
	f.Add(slices.Concat(hello, ping, halves, hello, bye), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add(slices.Concat(halves[:7], ping, halves[7:], bye), []byte{6, 6})
	f.Add(slices.Concat(ping, ping, hello, ping, bye), []byte{6, 6, 20, 6})
	f.Add(slices.Concat(ping, hello), []byte{2, 2, 2, 2, 2})
	f.Add(slices.Concat(bytes.Repeat(ping, 30), bye), []byte{6, 13})
	f.Add(slices.Concat(hello, bytes.Repeat(hello, 100), []byte("\x83\x80")), []byte{200, 200})
	f.Fuzz(func(t *testing.T, input, cuts []byte) {
		input = append(slices.Clip(input), bye...)
		h := newHub(t, hub.Settings{QueueMessages: 1 << 20, QueueBytes: 1 << 30})
		reg := session.New(h)
		want, wantCode := converse(t, reg, newScript(input, nil), false)
		for _, waits := range []bool{false, true} {
			got, code := converse(t, reg, newScript(input, cuts), waits)
			if code != wantCode {
				t.Errorf("waits %v: closed with %d, want %d", waits, code, wantCode)
			}
			if code != 0 && !slices.Equal(got, want) { // what is queued for a lost client is dropped
				t.Errorf("waits %v: %q, want %q", waits, got, want)
			}
		}
	})
}

func converse(t *testing.T, reg *session.Registry, s *script, waits bool) (types []string, code uint16) {
	var l link = s
	if waits {
		l = waitingScript{s}
	}
	serve(l, terms{registry: reg, dialect: native.Dialect{}, principal: &session.Principal{}})
	<-s.done
	return s.answers(t)
}
