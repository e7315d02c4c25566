package ws

import (
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Peer is what a connection reads for: its session, or for a time something that decides whether
// the connection becomes one of a session. The reader calls it, one call at a time.
type Peer interface {
	// Receive handles a message.
	Receive(message []byte, binary bool)
	// Heard notes that something arrived from the client.
	Heard()
	// Send queues an answer of WebSocket itself.
	Send(hub.Event)
	// Close ends the connection, with what belongs to it.
	Close(hub.Reason)
	// CloseForAbuse is Close for what a client must not do again soon.
	CloseForAbuse(hub.Reason)
}

// Link is the way to the client of a connection that joins a session. It may have the abilities of
// a [hub.TryWriter] and a [hub.WriteWaiter]. What is written are frames that an [Encoder] has made.
type Link = hub.Transport

// own is the Peer of a connection with a session of its own.
type own struct{ *session.Session }

func (o own) Heard() { o.Conn().Heard() }

func (o own) Send(ev hub.Event) { o.Conn().Send(ev) }

func (o own) Close(r hub.Reason) { o.Conn().Close(r) }

// enterJoined finds the peer of a connection that joins a session.
func (r *reader) enterJoined() *protocol.Error {
	if p := r.join(r.link); p != nil {
		r.peer = p
		return nil
	}
	return protocol.Errorf(protocol.Forbidden, "this session takes no other connection")
}
