package socketio

import (
	"encoding/json"
	"slices"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// relay does what a rule says.
func (d *Dialect) relay(s *session.Session, r *Rule, ev *event) *protocol.Error {
	switch r.Do {
	case All, Others:
		return d.publish(s, ev, outgoing{room: d.server.broadcastRoom(ev.in.Name), args: ev.args, all: r.Do == All, volatile: r.Volatile})
	case ToRoom:
		_, room, e := d.roomArgument(ev, r.Argument)
		if e != nil {
			return e
		}
		args := slices.Delete(slices.Clone(ev.args), r.Argument, r.Argument+1)
		return d.publish(s, ev, outgoing{room: room, args: args, volatile: r.Volatile})
	case Join:
		name, room, e := d.roomArgument(ev, r.Argument)
		if e != nil {
			return e
		}
		return d.join(s, ev, name, protocol.Subscribe{Channel: room})
	case Leave:
		_, room, e := d.roomArgument(ev, r.Argument)
		if e != nil {
			return e
		}
		return s.Unsubscribe(room, done(ev.packet, ""))
	case Reply:
		s.Conn().Send(reply(ev, r.As))
		s.Conn().Send(done(ev.packet, ""))
	case Ack:
		s.Conn().Send(ev.ack(ev.args...))
	default:
		return protocol.Errorf(protocol.Forbidden, "clients may not send the event %s", protocol.Quote(ev.name))
	}
	return nil
}

// reply makes the event that goes back to the client.
func reply(ev *event, as string) any {
	if as == "" {
		as = ev.name
	}
	text, data := extract([]byte(packetOf(ev.in.Name, as, ev.args...)))
	return parts(binaryPacket(text, data))
}

// outgoing is an event on its way to a room.
type outgoing struct {
	room     string
	event    string // empty: that of the client
	args     [][]byte
	all      bool // the sender gets it as well
	volatile bool
	unnamed  bool // it has no event name
}

// publish publishes an event, and acknowledges it.
func (d *Dialect) publish(s *session.Session, ev *event, o outgoing) *protocol.Error {
	q := protocol.Publish{Channel: o.room, Event: ev.name, Volatile: o.volatile}
	if o.unnamed {
		q.Event = ""
	}
	if !o.all {
		q.Except = s.Conn().ID()
	}
	q.Content, q.Tags = contentOf(o.args, ev.binary)
	published, e := s.Publish(s.Context(), q)
	if e != nil {
		return e
	}
	id := ""
	if !published.Position.IsZero() {
		id = string(appendPosition(nil, published.Position))
	}
	s.Conn().Send(done(ev.packet, id))
	return nil
}

// contentOf returns the content of a message with these arguments, and the tags that say how they are
// in it.
func contentOf(args [][]byte, binary bool) (content, tags json.RawMessage) {
	several := len(args) != 1
	switch {
	case several && binary:
		tags = json.RawMessage(`{"socketio":"args binary"}`)
	case several:
		tags = json.RawMessage(`{"socketio":"args"}`)
	case binary:
		tags = json.RawMessage(`{"socketio":"binary"}`)
	}
	if several {
		return arrayOf(args), tags
	}
	return json.RawMessage(args[0]), tags
}

// done makes the acknowledgement of an event that was carried out. id is the position of what was
// published, if it has one.
func done(p *packet, id string) frame {
	if id == "" {
		return acknowledge(p, []byte(`{"ok":true}`))
	}
	return acknowledge(p, append(protocol.AppendString([]byte(`{"ok":true,"id":`), id), '}'))
}
