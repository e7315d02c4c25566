package sse

import (
	"sync"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// stamps is the [hub.Stamper] of a stream of several channels. Each cursor that it writes covers
// all of them, also those without a message so far.
type stamps struct {
	mu sync.Mutex // a leaf

	// Guarded by mu.
	cursor protocol.Cursor
}

// begin sets the position from which a channel is delivered, unless an event of the channel was
// stamped already.
func (s *stamps) begin(channel string, p hub.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.cursor.Position(channel); !ok {
		s.cursor.Set(channel, p)
	}
}

// AppendStamp appends the `id:` line of an event of channel at p.
func (s *stamps) AppendStamp(dst []byte, channel string, p hub.Position) []byte {
	if p.IsZero() {
		return dst
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor.Set(channel, p)
	return appendCursor(dst, &s.cursor)
}
