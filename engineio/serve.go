package engineio

import (
	"net/http"

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
	// Dialect returns the dialect of the messages of a new connection. It is called once for
	// each handshake, so the dialect may keep state of its connection. Its encoder must be
	// comparable, and is asked for the abilities Splitter, Binary and Closer of package ws.
	Dialect func() session.Dialect
	// Allowed says that pages of the request's origin may connect.
	Allowed bool
	// Admit decides about a handshake, and returns the client. It is not called for later
	// requests of the connection.
	Admit func() (*session.Principal, *protocol.Error)
	// Upgrade answers the handshake of a WebSocket. It adds to o what the server knows, and
	// calls [ws.Serve].
	Upgrade func(w http.ResponseWriter, r *http.Request, p *session.Principal, o ws.Options) error
	// Rejected is called with the error of a handshake that the server's own rules reject. It
	// may be nil.
	Rejected func(*protocol.Error)
}

// Serve answers a request at the path of the endpoint. An error means that nothing was answered,
// and that the fault is in the server.
func Serve(w http.ResponseWriter, r *http.Request, o Options) error {
	upgrade := ws.IsUpgrade(r)
	if !upgrade {
		openCORS(w, r, o.Allowed)
		if r.Method == http.MethodOptions {
			answerPreflight(w, r, o.Allowed)
			return nil
		}
	}
	q := r.URL.Query()
	transport := q.Get("transport")
	f := check(r.Method, transport, q.Get("sid"), upgrade)
	if f == nil && q.Get("EIO") != version {
		f = errVersion
	}
	if f != nil {
		f.answer(w)
		return nil
	}
	p, e := o.admit()
	if e != nil {
		if o.Rejected != nil {
			o.Rejected(e)
		}
		Reject(w, e)
		return nil
	}
	return o.Upgrade(w, r, p, ws.Options{Dialect: o.conversation(), Binary: true})
}

// check returns what is wrong with a handshake; nil if nothing is.
func check(method, transport, sid string, upgrade bool) *refusal {
	switch {
	case transport != "websocket":
		return errTransport
	case sid != "":
		return errSession
	case method != http.MethodGet && !upgrade:
		return errMethod
	case !upgrade:
		return errRequest
	}
	return nil
}

// admit decides about a handshake.
func (o *Options) admit() (*session.Principal, *protocol.Error) {
	if !o.Allowed {
		return nil, errOrigin
	}
	return o.Admit()
}

func (o *Options) conversation() *conversation {
	return &conversation{inner: o.Dialect(), registry: o.Registry}
}
