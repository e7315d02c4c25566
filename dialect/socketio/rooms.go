package socketio

import (
	"encoding/json"
	"sync/atomic"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// join handles `join`: the name of a room, or an object with the name and what the client has missed.
func join(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	if len(ev.args) == 0 {
		return noRoomName()
	}
	var q struct {
		Room    string `json:"room"`
		History int    `json:"history"`
		Since   string `json:"since"`
	}
	if name, ok := textOf(ev.args[0]); ok {
		q.Room = name
	} else if json.Unmarshal(ev.args[0], &q) != nil {
		return noRoomName()
	}
	room, e := d.server.room(ev.in.Name, q.Room)
	if e != nil {
		return e
	}
	sub := protocol.Subscribe{Channel: room, History: q.History}
	if q.History < 0 || q.History > protocol.MaxHistory {
		return protocol.Errorf(protocol.InvalidMessage, "history is a number from 0 to %d", protocol.MaxHistory)
	}
	if q.Since != "" {
		if sub.Recover, e = parsePosition(q.Since); e != nil {
			return e
		}
	}
	return d.join(s, ev, q.Room, sub)
}

// join puts the client into a room. The acknowledgement comes before what is published from then on,
// except in a room whose members the client may see: they are a part of the acknowledgement, which
// waits for them.
func (d *Dialect) join(s *session.Session, ev *event, name string, q protocol.Subscribe) *protocol.Error {
	var answer joinAnswer
	var sent atomic.Bool
	once := func(members *presence.Snapshot) []hub.Event {
		if !sent.CompareAndSwap(false, true) {
			return nil
		}
		return []hub.Event{answer.frame(ev.packet, name, members)}
	}
	o := session.SubscribeOptions{Members: once}
	o.Reply = func(sub session.Subscribed) []hub.Event {
		answer.take(q, sub)
		if s.ShowsMembers(q.Channel) {
			return nil
		}
		return once(nil)
	}
	e := s.Subscribe(s.Context(), q, o)
	if e != nil && e.Code == protocol.AlreadySubscribed { // kinder than an error to a client that reconnects
		if s.ShowMembers(q.Channel, once) == nil {
			return nil
		}
	} else if e != nil || s.ShowsMembers(q.Channel) {
		return e
	}
	for _, late := range once(nil) { // new rules may have taken the members away meanwhile
		s.Conn().Send(late)
	}
	return nil
}

// joinAnswer is what a client is answered that has joined a room.
type joinAnswer struct {
	messages  []*hub.Message
	history   bool // the client has asked for messages
	recovered bool
	position  hub.Position
}

func (a *joinAnswer) take(q protocol.Subscribe, sub session.Subscribed) {
	a.history, a.messages = q.History > 0 || q.Recover != nil, sub.Messages
	a.recovered, a.position = q.Recover == nil || sub.Recovered, sub.Position
}

// frame makes the acknowledgement.
func (a *joinAnswer) frame(p *packet, room string, members *presence.Snapshot) frame {
	if p.id == "" {
		return ""
	}
	dst := protocol.AppendString([]byte(`{"ok":true,"room":`), room)
	if !a.position.IsZero() {
		dst = append(appendPosition(append(dst, `,"position":"`...), a.position), '"')
	}
	if members != nil {
		dst = appendMembers(append(dst, `,"members":`...), members.Members)
	}
	if a.history {
		if !a.recovered {
			dst = append(dst, `,"lost":true`...)
		}
		dst = appendHistory(append(dst, `,"history":`...), room, a.messages)
	}
	return acknowledge(p, append(dst, '}'))
}

// appendHistory appends messages as a client of the rooms profile reads them in an answer.
func appendHistory(dst []byte, room string, messages []*hub.Message) []byte {
	dst = append(dst, '[')
	first := true
	for _, m := range messages {
		name, ok := messageEvent(m)
		if !ok {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = protocol.AppendString(append(dst, `{"event":`...), name)
		args := appendArguments(nil, m, m.Content)
		if len(args) > 0 {
			args = args[1:]
		}
		dst = append(append(append(dst, `,"args":[`...), args...), `],"meta":`...)
		dst = append(appendMeta(dst, room, m), '}')
	}
	return append(dst, ']')
}

func leave(d *Dialect, s *session.Session, ev *event) *protocol.Error { return d.leave(s, ev, 0) }

// leave takes the client out of the room that an argument names.
func (d *Dialect) leave(s *session.Session, ev *event, argument int) *protocol.Error {
	_, room, e := d.roomArgument(ev, argument)
	if e != nil {
		return e
	}
	return s.Unsubscribe(room, done(ev.packet, ""))
}

// message handles `message`: a room that the client has joined, and what the others in it get.
func message(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	_, room, e := d.roomArgument(ev, 0)
	switch {
	case e != nil:
		return e
	case !s.Conn().In(room):
		return protocol.Errorf(protocol.NotSubscribed, "join the room first")
	case len(ev.args) == 1:
		return protocol.Errorf(protocol.InvalidMessage, "a message has data behind the room")
	}
	return d.publish(s, ev, outgoing{room: room, args: ev.args[1:], unnamed: true})
}

// members handles `presence`.
func members(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	_, room, e := d.roomArgument(ev, 0)
	if e != nil {
		return e
	}
	return s.Members(room, "", func(snapshot *presence.Snapshot) {
		s.Conn().Send(acknowledge(ev.packet, append(appendMembers([]byte(`{"ok":true,"members":`), snapshot.Members), '}')))
	})
}
