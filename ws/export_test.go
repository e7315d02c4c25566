package ws

import (
	"bufio"
	"io"
	"net"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Start runs a connection after its handshake.
func Start(conn net.Conn, early []byte, reg *session.Registry, d session.Dialect, p *session.Principal) {
	_ = start(conn, bufio.NewWriter(io.Discard), early, terms{registry: reg, dialect: d, principal: p})
}

// Pong is the answer to a ping, as an event.
func Pong(payload string) hub.Event { return pong(payload) }

// Deflating is the encoder of connections with permessage-deflate.
func Deflating(e Encoder) hub.Encoder { return deflating{e} }
