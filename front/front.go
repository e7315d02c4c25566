// Package front has the ways in beside the base path of a route: the paths, requests and handshakes
// of protocols that others have made. A front finds out whether a request is one of its protocol, and
// hands it to a transport with a dialect. What every client must pass, the route decides ([Host]).
//
// A protocol more is a dialect below dialect/, its options in package config, and one file here.
package front

import (
	"net/http"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/engineio"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// Front is the way in of one protocol. Its methods may run at the same time.
type Front interface {
	// Find returns what answers a request with the URL u, which is that of the request or the one
	// before a rewrite. It returns nil if the request belongs to the site.
	Find(r *http.Request, u *url.URL) Answer
}

// Answer answers a request by the rules of the route h. reg is in force. An error goes to Caddy.
type Answer func(w http.ResponseWriter, r *http.Request, h Host, reg *session.Registry) error

// Host is the route to which a front belongs.
type Host interface {
	// Admit decides about a handshake as about one of a native client, but the client may still send
	// a token over its connection. If anonymous is set, nothing in the request identifies the client.
	Admit(r *http.Request, reg *session.Registry, anonymous bool) (*session.Principal, *protocol.Error)
	// Knock decides about a handshake of a client that the app identifies later, by what it signs.
	Knock(r *http.Request, reg *session.Registry) (*session.Principal, *protocol.Error)
	// Upgrade answers the handshake of a WebSocket. o has what differs between the protocols.
	Upgrade(w http.ResponseWriter, r *http.Request, reg *session.Registry, p *session.Principal, o ws.Options) error
	// Reject answers a handshake that is rejected.
	Reject(w http.ResponseWriter, r *http.Request, e *protocol.Error) error
	// NoteRejection counts and logs a handshake that a front itself rejects. client may be nil.
	NoteRejection(r *http.Request, client *session.Principal, e *protocol.Error)
	// Polls are the sessions of the node that began with polls.
	Polls() *engineio.Sessions
	// Over is closed when the configuration of the route ends.
	Over() <-chan struct{}
}
