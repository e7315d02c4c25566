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
	for _, channel := range conn.Channels() {
		s.review(u, conn, channel)
	}
}

// review applies new rules to one subscription.
func (s *Session) review(u *rules, conn *hub.Conn, channel string) {
	if e := u.may(Caller{User: s.peer.User}, policy.Subscribe, channel); e != nil {
		s.quit(conn, protocol.UnsubscribedReply{Channel: channel, Cause: e})
		return
	}
	s.regard(u, conn, channel)
}
