package socketio

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// event is an event of a client.
type event struct {
	*packet
	in     *joined
	name   string
	args   [][]byte
	binary bool // there is binary data in the arguments
}

// profile are the events of the rooms profile.
var profile = map[string]func(*Dialect, *session.Session, *event) *protocol.Error{
	"join":     join,
	"leave":    leave,
	"message":  message,
	"presence": members,
}

// event carries out an event: by the first rule about it, as an event of the rooms profile, or as a call
// to the app.
func (d *Dialect) event(s *session.Session, in *joined, p *packet, binary bool) *protocol.Error {
	if e := s.MustAuthenticate(); e != nil {
		return e
	}
	all := elements(p.payload)
	name, _ := eventName(all)
	if name == "" {
		return protocol.Errorf(protocol.InvalidMessage, "an event has a name")
	}
	if e := checkEvent(name); e != nil {
		return e
	}
	ev := &event{packet: p, in: in, name: name, args: all[1:], binary: binary}
	if r := firstRule(in.Rules, name); r != nil {
		return d.relay(s, r, ev)
	}
	if run, ok := profile[name]; ok && in.Rooms {
		return run(d, s, ev)
	}
	if run, ok := echoEvents[name]; ok && in.Echo {
		return run(d, s, ev)
	}
	if s.TakesCalls() {
		return call(s, ev)
	}
	return protocol.Errorf(protocol.UnknownType, "no rule is about the event %s", protocol.Quote(name))
}

// call asks the app. Its answer is the acknowledgement.
func call(s *session.Session, ev *event) *protocol.Error {
	params, err := json.Marshal(struct {
		Namespace string          `json:"namespace"`
		Args      json.RawMessage `json:"args"`
		Auth      json.RawMessage `json:"auth,omitempty"`
	}{ev.in.Name, arrayOf(ev.args), ev.in.auth})
	if err != nil {
		return protocol.AsError(err)
	}
	return s.Call(protocol.Call{Method: ev.name, Params: params}, func(result json.RawMessage, e *protocol.Error) {
		if e != nil {
			s.Rejected("socketio", e)
			s.Conn().Send(failed(ev.packet, e))
			return
		}
		s.Conn().Send(ev.ack(result))
	})
}

// ack makes the acknowledgement of the event. Binary data of the app leaves as attachments.
func (ev *event) ack(arguments ...[]byte) any {
	packet := acknowledge(ev.packet, arguments...)
	if packet == "" {
		return packet
	}
	text, data := extract([]byte(packet))
	if len(data) == 0 {
		return packet
	}
	return parts(binaryPacket(text, data))
}

// roomArgument returns the name that an argument gives, and its room of the hub.
func (d *Dialect) roomArgument(ev *event, n int) (name, room string, e *protocol.Error) {
	if n >= len(ev.args) {
		return "", "", noRoomName()
	}
	name, ok := textOf(ev.args[n])
	if !ok {
		return "", "", noRoomName()
	}
	room, e = d.server.room(ev.in.Name, name)
	return name, room, e
}

func noRoomName() *protocol.Error {
	return protocol.Errorf(protocol.InvalidChannel, "an argument must name the room")
}
