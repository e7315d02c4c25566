package session

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// recheck ends the subscriptions that u does not allow, and brings the others in
// line with it.
func (s *Session) recheck(u *rules) {
	conn := s.connection()
	if conn == nil {
		return // it has no rooms yet, and will find the new rules
	}
	s.askAgain(u, conn)
	s.watch(u)
	for _, channel := range conn.Channels() {
		s.review(u, conn, channel)
	}
}

// maySubscribe says why the session may not be in a room.
func (s *Session) maySubscribe(u *rules, channel string) *protocol.Error {
	p := s.who()
	if e := u.bars(p); e != nil {
		return e
	}
	return u.may(p.Caller(), policy.Subscribe, channel)
}

// review applies new rules to one subscription.
func (s *Session) review(u *rules, conn *hub.Conn, channel string) {
	if e := s.maySubscribe(u, channel); e != nil {
		s.quit(conn, protocol.UnsubscribedReply{Channel: channel, Cause: e})
		return
	}
	s.regard(u, conn, channel)
	if u.document(channel) == nil {
		s.unfollow(channel)
	}
}
