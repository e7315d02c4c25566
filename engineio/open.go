package engineio

import (
	"net/http"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
	"github.com/caddy-realtime/caddy-realtime/ws"
)

// offered are the transports to which a client who polls may change.
const offered = `"websocket"`

// open answers the handshake of a client who polls. The open packet stands alone, because it says
// where the next poll finds what is queued behind it.
func (o *Options) open(w http.ResponseWriter, r *http.Request, p *session.Principal) error {
	c, e := o.start(p)
	if e != nil {
		return o.reject(w, r, e)
	}
	if o.Cookie != "" {
		http.SetCookie(w, &http.Cookie{Name: o.Cookie, Value: c.sid, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	if err := o.answer(w, r, contentPackets, appendOpen(nil, o.Registry, c.sid, offered)); err != nil {
		c.session.Conn().Close(hub.ReasonLost)
	}
	return nil
}

// start opens a session. It is in the table before, because it may end at once, and nobody knows its sid
// yet.
func (o *Options) start(p *session.Principal) (*carrier, *protocol.Error) {
	c := &carrier{sessions: o.Sessions, registry: o.Registry, sid: newSID(o.Registry.Inspection.Node().Name), client: session.Caller{Principal: p}}
	dialect := o.conversation()
	o.Sessions.add(c)
	s, e := o.Registry.Open(p, session.Options{
		Transport: c, Encoder: ws.Encoder{Text: dialect.Encoder()}, Dialect: dialect, Answers: true, Name: "polling",
	})
	if e != nil {
		o.Sessions.remove(c)
		return nil, e
	}
	c.session = s
	return c, nil
}
