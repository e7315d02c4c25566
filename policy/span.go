package policy

import (
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Span is a pattern that a client subscribes to, with the one block that all of its channels
// belong to. A Span is immutable.
type Span struct {
	// Room is the block.
	Room    *Room
	pattern pattern
}

// Span finds the block that has all channels of a pattern. The pattern has the form of
// [Room.Pattern] with at least one * and without placeholders. The errors are INVALID_CHANNEL for
// a pattern that no client can subscribe to, and FORBIDDEN if no single block has all of its
// channels: their rules differ then, so no answer would hold for the whole pattern.
func (p *Policy) Span(text string) (Span, *protocol.Error) {
	q, err := parsePattern(text)
	switch {
	case err != nil:
		return Span{}, protocol.Errorf(protocol.InvalidChannel, "pattern %s: %s", protocol.Quote(text), err)
	case q.personal:
		return Span{}, protocol.Errorf(protocol.InvalidChannel, "pattern %s: a placeholder is not possible here; write the value itself", protocol.Quote(text))
	case !strings.Contains(text, "*"):
		return Span{}, protocol.Errorf(protocol.InvalidChannel, "pattern %s has no *; subscribe to it as a channel", protocol.Quote(text))
	}
	for _, r := range p.blocks() {
		switch {
		case !r.pattern.meets(&q):
			continue
		case r.pattern.personal:
			return Span{}, protocol.Errorf(protocol.Forbidden, "pattern %s has channels that belong to a single user or claim", protocol.Quote(text))
		case !r.pattern.covers(&q):
			return Span{}, protocol.Errorf(protocol.Forbidden, "pattern %s has channels with different rules; use a narrower pattern", protocol.Quote(text))
		}
		return Span{Room: r, pattern: q}, nil
	}
	return Span{}, protocol.Errorf(protocol.Forbidden, "you may not subscribe to pattern %s", protocol.Quote(text))
}

// Match reports whether the pattern matches a channel.
func (s *Span) Match(channel string) bool { return s.pattern.match(channel) }

// Allow decides whether a client may subscribe to the pattern. The errors are those of
// [Room.Allow]. Under [Granted] one grant must allow all channels of the pattern.
func (s *Span) Allow(to *Subject) *protocol.Error {
	access := s.Room.PatternAccess
	switch {
	case access == Anyone, access == Users && to.User != "", access == Granted && to.Grants.span(&s.pattern):
		return nil
	case access >= Granted && to.anonymous(), access == Users:
		return protocol.Errorf(protocol.Unauthorized, "you must be signed in to subscribe to this pattern")
	}
	return protocol.Errorf(protocol.Forbidden, "you may not subscribe to this pattern")
}

// span reports whether one of the grants allows to subscribe to all channels of a pattern.
func (g Grants) span(q *pattern) bool {
	for i := range g.list {
		if g.list[i].actions&(1<<Subscribe) != 0 && g.list[i].pattern.covers(q) {
			return true
		}
	}
	return false
}

// spans reports whether clients may subscribe to patterns in the block.
func (r *Room) spans() bool { return r.PatternAccess >= Granted && r.PatternAccess <= Anyone }
