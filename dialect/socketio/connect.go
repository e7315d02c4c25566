package socketio

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// joined is a namespace that a client is connected to.
type joined struct {
	*Namespace
	auth json.RawMessage // what the client has sent, without what is about recovery; nil for nothing
	pid  string          // with which the client may recover this namespace; empty: it may not
}

// in returns a namespace that the client is connected to; nil if it is not.
func (d *Dialect) in(name string) *joined {
	for _, j := range d.joined {
		if j.Name == name {
			return j
		}
	}
	return nil
}

// Opened implements [session.Opener]: a client that connects to no namespace in time is closed.
func (d *Dialect) Opened(s *session.Session) {
	if d.server.Recovery > 0 {
		s.Conn().KeepTrail(d.server.groups())
	}
	if d.server.ConnectTimeout > 0 {
		d.timer = s.Later(d.server.ConnectTimeout, func() {
			if !d.connected.Load() {
				s.Conn().Close(reasonLate)
			}
		})
	}
}

// reasonLate lets a client that was slow try again.
var reasonLate = hub.Reason{Code: protocol.ReasonTryLater.Code, Text: "no namespace was connected to in time"}

// connect handles CONNECT.
func (d *Dialect) connect(s *session.Session, p *packet) {
	if d.in(p.namespace) != nil {
		s.Conn().Close(broken("a second CONNECT for a namespace"))
		return
	}
	in := &joined{Namespace: d.server.namespace(p.namespace), auth: p.payload}
	former := d.takeFormer(in)
	e := noNamespace
	if in.Namespace != nil {
		e = d.enter(s, in, former)
	}
	if e == nil {
		return
	}
	if session.IsTokenOffence(e.Code) && e != noNamespace {
		s.Rejected("socketio", e)
		s.Offend(refusal(p.namespace, e))
		return
	}
	d.reject(s, p, e)
}

// enter finds out who the client is, and connects it to a namespace. The room with all clients of the
// namespace decides who may. Without a room block for it, everybody may, and nothing is sent to all.
func (d *Dialect) enter(s *session.Session, in *joined, former *former) *protocol.Error {
	if e := authenticate(s, in.auth); e != nil {
		return e
	}
	if e := s.MustAuthenticate(); e != nil {
		return e
	}
	room := d.server.broadcastRoom(in.Name)
	if former != nil && d.recover(s, in, former) {
		return nil
	}
	in.pid = d.server.newPID()
	welcome := func() []hub.Event { return d.welcome(s, in) }
	if !s.Opens(room) || s.Conn().In(room) {
		for _, ev := range welcome() {
			s.Conn().Send(ev)
		}
		d.issue(s, in)
		return nil
	}
	e := s.Subscribe(s.Context(), protocol.Subscribe{Channel: room}, session.SubscribeOptions{
		Reply: func(session.Subscribed) []hub.Event { return welcome() },
	})
	if e != nil { // perhaps after the welcome, if the rules have changed meanwhile
		d.forget(s, in)
		return e
	}
	d.issue(s, in)
	return nil
}

// welcome notes that the client is connected, and returns what it is sent first. The id of the socket is
// that of the connection, by which the app names it.
func (d *Dialect) welcome(s *session.Session, in *joined) []hub.Event {
	d.enters(in)
	all := []hub.Event{connected(s, in)}
	for _, emit := range in.Emits {
		if !emit.Auth {
			all = append(all, packetOf(in.Name, emit.Event))
			continue
		}
		auth := in.auth
		if auth == nil {
			auth = json.RawMessage(`{}`)
		}
		all = append(all, packetOf(in.Name, emit.Event, auth))
	}
	return all
}

// enters notes that the client is connected to a namespace.
func (d *Dialect) enters(in *joined) {
	d.joined, d.known = append(d.joined, in), true
	d.connected.Store(true)
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil // it is larger than the rest of the dialect
	}
}

// connected makes the answer to CONNECT.
func connected(s *session.Session, in *joined) frame {
	dst := append(appendHead(nil, kindConnect, 0, in.Name, ""), `{"sid":`...)
	dst = protocol.AppendString(dst, s.Conn().ID())
	if in.pid != "" {
		dst = protocol.AppendString(append(dst, `,"pid":`...), in.pid)
	}
	return frame(append(dst, '}'))
}

// authenticate gives the connection the identity of the token in the client's auth. Where the route
// takes no tokens at all, it means something to the app alone.
func authenticate(s *session.Session, auth json.RawMessage) *protocol.Error {
	if auth == nil || !s.TakesTokens() {
		return nil
	}
	var said struct {
		Token json.RawMessage `json:"token"`
	}
	if json.Unmarshal(auth, &said) != nil || said.Token == nil || string(said.Token) == "null" {
		return nil
	}
	token, ok := textOf(said.Token)
	if ok && token == "" { // what a page sends whose storage has none
		return nil
	}
	if !ok {
		return protocol.Errorf(protocol.Unauthorized, "the token is not a text")
	}
	return s.Authenticate(s.Context(), token, func(*session.Principal) {})
}

// disconnect handles DISCONNECT: the client leaves a namespace with its rooms, and the connection stays.
func (d *Dialect) disconnect(s *session.Session, in *joined) {
	d.forget(s, in)
	places := d.server.places()
	for _, room := range s.Conn().Channels() {
		if namespace, _, _, ok := places.find(room); ok && namespace == in.Name && !strings.Contains(room, "*") {
			_ = s.Unsubscribe(room, nil)
		}
	}
}

func (d *Dialect) forget(s *session.Session, in *joined) {
	if in.pid != "" {
		s.Void(in.pid)
	}
	d.joined = slices.DeleteFunc(d.joined, func(j *joined) bool { return j == in })
}
