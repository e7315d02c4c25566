package session

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Unsubscribe takes the client out of a room. reply is queued behind the room's last
// message to the client. The error is NOT_SUBSCRIBED, and then reply is not sent.
func (s *Session) Unsubscribe(channel string, reply hub.Event) *protocol.Error {
	if e := s.MustAuthenticate(); e != nil {
		return e
	}
	if !s.leaveRoom(s.conn, channel, reply) {
		return notSubscribed()
	}
	return nil
}

// leaveRoom takes the session out of a room.
func (s *Session) leaveRoom(conn *hub.Conn, channel string, reply hub.Event) bool {
	was := s.registry.hub.Unsubscribe(conn, channel, reply)
	s.leavePresence(channel)
	s.unfollow(channel)
	return was
}

func notSubscribed() *protocol.Error {
	return protocol.Errorf(protocol.NotSubscribed, "not subscribed to this channel")
}
