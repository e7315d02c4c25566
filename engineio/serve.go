package engineio

import (
	"io"
	"net/http"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// version is the version of the protocol that is spoken here. Clients of Socket.IO 2 speak 3, in
// which the client pings.
const version = "4"

// Options are what [Serve] needs beside the request.
type Options struct {
	// Registry opens sessions.
	Registry *session.Registry
	// Sessions are those of the node that began with polls. Nil: clients can not poll.
	Sessions *Sessions
	// Dialect returns the dialect of the messages of a new connection. It is called once for
	// each handshake, so the dialect may keep state of its connection. Its encoder must be
	// comparable, and is asked for the abilities Splitter, Binary and Closer of package ws.
	Dialect func() session.Dialect
	// Foreign is the error for a page of an origin that may not connect; nil if the request's may.
	Foreign *protocol.Error
	// Admit decides about a handshake, and returns the client. It is not called for later
	// requests of the connection.
	Admit func() (*session.Principal, *protocol.Error)
	// Upgrade answers the handshake of a WebSocket. It adds to o what the server knows, and
	// calls [ws.Serve]. p is nil for a WebSocket that joins a session.
	Upgrade func(w http.ResponseWriter, r *http.Request, p *session.Principal, o ws.Options) error
	// Rejected is called with the error of a handshake that the server's own rules reject. It
	// may be nil.
	Rejected func(*protocol.Error)
	// Cookie is the name of a cookie with the sid, for load balancers; empty for none.
	Cookie string
	// Over is closed when the configuration of the route ends. A poll that is held is answered
	// some seconds later, so that the client polls by the next one. Nil means never.
	Over <-chan struct{}
	// KeepStream removes the server's bounds on the time of a request, for a poll that is held.
	// It may be nil.
	KeepStream func(http.ResponseWriter, *http.Request) io.Reader
	// Bound returns the writer for an answer, and what to call when the answer is complete. The
	// writer's deadlines then hold over HTTP/2 as well. It may be nil.
	Bound func(http.ResponseWriter, *http.Request) (http.ResponseWriter, func())
}

// Serve answers a request at the path of the endpoint. An error means that nothing was answered,
// and that the fault is in the server.
func Serve(w http.ResponseWriter, r *http.Request, o Options) error {
	upgrade := ws.IsUpgrade(r)
	if !upgrade {
		openCORS(w, r, o.Foreign == nil)
		if r.Method == http.MethodOptions {
			answerPreflight(w, r, o.Foreign == nil)
			return nil
		}
	}
	q := r.URL.Query()
	switch transport := q.Get("transport"); {
	case transport != "websocket" && (transport != "polling" || o.Sessions == nil):
		return o.refuse(w, r, errTransport)
	case q.Has("sid"):
		return o.serveKnown(w, r, q.Get("sid"), transport == "websocket")
	default:
		return o.handshake(w, r, q, transport == "websocket")
	}
}

// handshake answers the first request of a client.
func (o *Options) handshake(w http.ResponseWriter, r *http.Request, q url.Values, socket bool) error {
	upgrade := ws.IsUpgrade(r)
	switch {
	case r.Method != http.MethodGet && !upgrade:
		return o.refuse(w, r, errMethod)
	case upgrade != socket:
		return o.refuse(w, r, errRequest)
	case q.Get("EIO") != version:
		o.noteVersion(q.Get("EIO"))
		return o.refuse(w, r, errVersion)
	case o.Foreign != nil:
		return o.reject(w, r, o.Foreign)
	}
	p, e := o.Admit()
	if e != nil {
		return o.reject(w, r, e)
	}
	if socket {
		return o.Upgrade(w, r, p, ws.Options{Dialect: o.conversation(), Binary: true})
	}
	return o.open(w, r, p)
}

// serveKnown answers a request of a session.
func (o *Options) serveKnown(w http.ResponseWriter, r *http.Request, sid string, socket bool) error {
	c := o.Sessions.find(sid, o.Registry)
	switch upgrade := ws.IsUpgrade(r); {
	case c == nil:
		return o.refuse(w, r, errSession)
	case upgrade != socket:
		return o.refuse(w, r, errRequest)
	case o.Foreign != nil:
		return o.reject(w, r, o.Foreign)
	case socket:
		return o.Upgrade(w, r, nil, ws.Options{Join: c.join, Binary: true})
	case r.Method == http.MethodGet:
		return c.serveGet(w, r, o)
	case r.Method == http.MethodPost:
		return c.servePost(w, r, o)
	}
	return o.refuse(w, r, errRequest)
}

// noteVersion counts and logs a client of another version: its page shows little of the answer.
func (o *Options) noteVersion(spoken string) {
	if o.Rejected == nil {
		return
	}
	e := protocol.Errorf(protocol.Forbidden, "%s", errVersion.message)
	e.Detail = "the client speaks version " + protocol.Quote(spoken) + " of Engine.IO, and the server " + version
	o.Rejected(e)
}

// reject answers a request that the server's own rules do not allow.
func (o *Options) reject(w http.ResponseWriter, r *http.Request, e *protocol.Error) error {
	if o.Rejected != nil {
		o.Rejected(e)
	}
	w, end := o.bound(w, r)
	defer end()
	Reject(w, e)
	return nil
}

func (o *Options) conversation() *conversation {
	return &conversation{inner: o.Dialect(), registry: o.Registry}
}
