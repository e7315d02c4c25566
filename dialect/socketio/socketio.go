// Package socketio is the Socket.IO protocol, version 5, on the rooms of a hub, above the transport
// of Engine.IO.
//
// A room of a namespace is the room of the hub with the name of the namespace in front, which the
// root namespace leaves out; one more room has all clients of a namespace. So what a server does
// with `io.emit` and `socket.to(room).emit` is a message in a room, which clients of all dialects
// see. Its event name is the name of the event, and its content is the argument. Several arguments
// are an array, and a tag says so. Payloads stay the text that the client has sent, without white space.
//
// There are no handlers here. Relay rules ([Rule]) say what happens to events of clients; the rooms
// profile lets clients join, leave and publish; everything else is a call to the app.
//
// # Where things are
//
//	packet.go   packets of clients, and the rules about them
//	raw.go      the elements of an array that stays text
//	binary.go   attachments, which are base64 in a room
//	encode.go   the encoder; meta.go: members and what is behind a message
//	server.go   Server and Namespace: the configuration
//	rule.go     relay rules
//	receive.go  frames of a client: packets and their attachments
//	connect.go  namespaces
//	recovery.go connection state recovery
//	event.go    which rule, event of the profile or call an event is
//	relay.go    what rules do
//	rooms.go    the rooms profile
//	echo.go     the events of Laravel Echo
//	failure.go  errors, and acknowledgements
//	emitter.go  what emitters publish in Redis, for clients; emitted.go: how they write it;
//	            emitter_lost.go: clients that are away; msgpack.go: the format of some of them
//
// # Concurrency
//
// A [Dialect] belongs to one connection. Its state belongs to the transport's reader, but for what
// the timer reads, which is atomic. The package starts no goroutine but that timer.
package socketio

import (
	"sync/atomic"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Dialect is the dialect of one connection.
type Dialect struct {
	// Static.
	server *Server

	connected atomic.Bool // to a namespace, now or before

	// Written by Opened, before the transport reads; then owned by its reader.
	timer *time.Timer // see Opened; nil when the client has connected

	// Owned by the transport's reader.
	joined []*joined
	known  bool     // the client has been told the id of the connection
	binary *pending // a packet whose attachments are not complete; nil for none
}

var (
	_ session.Dialect = (*Dialect)(nil)
	_ session.Named   = (*Dialect)(nil)
	_ session.Opener  = (*Dialect)(nil)
)

// New returns the dialect of a new connection.
func New(s *Server) *Dialect { return &Dialect{server: s} }

// Name implements [session.Named].
func (*Dialect) Name() string { return "socketio" }

// Encoder implements [session.Dialect]. Connections of equal servers share it.
func (d *Dialect) Encoder() hub.Encoder { return d.server.encoder() }
