package session

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Opener is an optional ability of a [Dialect]: it learns when its session is open, before the transport
// reads from the client.
type Opener interface{ Opened(s *Session) }

// opened notifies the dialect.
func (s *Session) opened() {
	if o, ok := s.dialect.(Opener); ok {
		o.Opened(s)
	}
}

// Later calls f after a while, on a goroutine of its own. A panic of f closes the connection.
func (s *Session) Later(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { s.runTimer(f) })
}

// runTimer is the end of a timer that a dialect has started.
func (s *Session) runTimer(f func()) {
	defer guard.Recover(s.registry.rules.Load().log, "a timer of a dialect", func() { s.conn.Close(protocol.ReasonInternal) })
	f()
}

// MessageSize is that of [Registry.MessageSize].
func (s *Session) MessageSize() int { return s.registry.MessageSize() }

// TakesTokens reports whether the route by which the client has come in takes tokens from anywhere.
func (s *Session) TakesTokens() bool {
	return s.registry.rules.Load().realms[s.who().Realm].Verifier != nil
}

// TakesCalls reports whether clients that have come in by this route can call the app.
func (s *Session) TakesCalls() bool {
	return s.registry.rules.Load().realms[s.who().Realm].Calls != nil
}

// Opens reports whether a room opens a channel, for whomever.
func (s *Session) Opens(channel string) bool { return s.registry.Opens(channel) }

// ShowsMembers reports whether the client may see the members of a room with presence.
func (s *Session) ShowsMembers(channel string) bool {
	return s.registry.Presence.tracker != nil && s.interests(s.registry.rules.Load(), channel) != 0
}
