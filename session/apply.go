package session

import (
	"slices"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// applyRules ends the subscriptions that u does not allow, and applies u to the others.
func (s *Session) applyRules(u *rules) {
	conn := s.connection()
	if conn == nil {
		return // the session has no rooms yet, and Open will load the new rules
	}
	s.closeIfAppNotAsked(u, conn)
	s.watch(u)
	for _, channel := range conn.Channels() {
		s.applyToRoom(u, conn, channel)
	}
	s.reconnectIfRegained(u, conn)
}

// applyNewer calls apply with the rules in force if they are newer than u, until none have come
// meanwhile. It is the last step of every change by the rules u, because Apply may have visited
// the session before the change.
func (s *Session) applyNewer(u *rules, apply func(*rules)) {
	for now := s.registry.rules.Load(); now != u; now = s.registry.rules.Load() {
		apply(now)
		u = now
	}
}

// closeIfAppNotAsked closes a connection that was accepted before its realm asked the app,
// so that the client reconnects and the app is asked.
func (s *Session) closeIfAppNotAsked(u *rules, conn *hub.Conn) {
	if u.appNotAsked(s.who()) {
		conn.Close(changed)
	}
}

// applyToRoom applies new rules to one subscription.
func (s *Session) applyToRoom(u *rules, conn *hub.Conn, channel string) {
	pattern := protocol.IsPattern(channel)
	e := s.maySubscribe(u, channel)
	if pattern && e == nil {
		e = s.keepsPattern(u, conn, channel)
	}
	if e != nil {
		s.leaveRoom(conn, channel, protocol.UnsubscribedReply{Channel: channel, Cause: e})
		s.loseChannel(conn, channel)
		return
	}
	s.registry.hub.Select(conn, channel, s.selector(u, channel))
	if pattern {
		return // it has no members and no document
	}
	s.applyToPresence(u, conn, channel)
	s.applyToDocument(u, conn, channel)
}

// applyToDocument notifies the client if a room got a document or lost its document: the
// state that the client knows is not current any more.
func (s *Session) applyToDocument(u *rules, conn *hub.Conn, channel string) {
	has, followed := u.document(channel) != nil, s.following(channel)
	switch {
	case followed && !has:
		s.unfollow(channel)
		conn.Send(hub.Gap{Channel: channel})
	case has && !followed && s.registry.Documents.service != nil:
		go s.followLate(u, conn, channel) // the store may be slow
	}
}

// followLate follows the document of a room that the session was in before the room had one.
func (s *Session) followLate(u *rules, conn *hub.Conn, channel string) {
	defer guard.Recover(u.log, "a subscription to a document", func() { conn.Close(protocol.ReasonInternal) })
	if _, e := s.follow(s.ctx, u, channel); e != nil {
		// The client reconnects and subscribes again.
		conn.Close(hub.Reason{Code: protocol.ReasonTryLater.Code, Text: e.Message})
		return
	}
	if !slices.Contains(conn.Channels(), channel) || s.registry.rules.Load().document(channel) == nil {
		s.unfollow(channel) // it was changed again meanwhile
	}
	conn.Send(hub.Gap{Channel: channel})
}

// changed is the reason when new rules require that the client reconnects.
var changed = hub.Reason{Code: hub.ReasonReplaced.Code, Text: "the configuration changed: connect again"}

// Deny tells the client of a fixed session that it may not have a channel, and why.
func (s *Session) Deny(channel string, e *protocol.Error) {
	s.logRejected(channel, e)
	s.conn.Send(protocol.UnsubscribedReply{Channel: channel, Cause: e})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = append(s.lost, channel)
}

// loseChannel records a channel that a fixed session may not have any more. If it was the
// last channel, the connection is closed: no message would ever come.
func (s *Session) loseChannel(conn *hub.Conn, channel string) {
	if !s.fixed {
		return
	}
	s.mu.Lock()
	s.lost = append(s.lost, channel)
	s.mu.Unlock()
	if len(conn.Channels()) == 0 {
		conn.Close(hub.Reason{Code: changed.Code, Text: "the configuration changed: no channel is left"})
	}
}

// reconnectIfRegained closes a fixed session that may have a lost channel again.
func (s *Session) reconnectIfRegained(u *rules, conn *hub.Conn) {
	s.mu.Lock()
	lost := s.lost
	s.mu.Unlock()
	if slices.ContainsFunc(lost, func(channel string) bool { return s.maySubscribe(u, channel) == nil }) {
		conn.Close(changed)
	}
}
