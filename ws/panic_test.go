package ws

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/dialect/native"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// faulty is a link whose reads have a bug.
type faulty struct{ *socket }

func (faulty) Read([]byte) (int, error) { panic("a bug") }

// safeBuffer may be written to by several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestPanicCostsOneConnection(t *testing.T) {
	t.Parallel()
	var log safeBuffer
	h := newHub(t, hub.Settings{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	server, client := net.Pipe()
	s := new(socket)
	s.init(h, server, nil)
	go serve(faulty{s}, terms{registry: session.New(h), dialect: native.Dialect{}, principal: &session.Principal{}})
	var got []byte
	for buf := make([]byte, 1024); ; {
		n, err := client.Read(buf)
		if got = append(got, buf[:n]...); err != nil {
			break
		}
	}
	i := bytes.IndexByte(got, headClose)
	if i < 0 || binary.BigEndian.Uint16(got[i+2:]) != 1011 {
		t.Errorf("the client got %q, want a close frame with 1011", got)
	}
	if s := log.String(); !strings.Contains(s, "a bug") || !strings.Contains(s, "panic_test.go") {
		t.Errorf("the log says %q", s)
	}
}
