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
	var q struct {
		History json.RawMessage `json:"history"`
		Since   json.RawMessage `json:"since"`
	}
	name, room, e := d.profileRoom(ev)
	if e != nil {
		return e
	}
	sub := protocol.Subscribe{Channel: room}
	if isObject(ev.args[0]) && json.Unmarshal(ev.args[0], &q) != nil {
		return noRoomName()
	}
	if sub.History, e = historyOf(q.History); e != nil {
		return e
	}
	if sub.Recover, e = sinceOf(q.Since); e != nil {
		return e
	}
	return d.join(s, ev, name, sub)
}

// historyOf reads how many of the newest messages a client requests.
func historyOf(text json.RawMessage) (n int, e *protocol.Error) {
	if text == nil {
		return 0, nil
	}
	if json.Unmarshal(text, &n) != nil || n < 0 || n > protocol.MaxHistory {
		return 0, protocol.Errorf(protocol.InvalidMessage, "history is a number from 0 to %d", protocol.MaxHistory)
	}
	return n, nil
}

// sinceOf reads the position that a client has; nil for none.
func sinceOf(text json.RawMessage) (*hub.Position, *protocol.Error) {
	if text == nil || string(text) == "null" || string(text) == `""` {
		return nil, nil
	}
	if since, ok := textOf(text); ok {
		if at, e := parsePosition(since); e == nil {
			return at, nil
		}
	}
	return nil, protocol.Errorf(protocol.InvalidMessage, "since is a text: the id of a message, or the position of an earlier answer")
}

// profileRoom returns the name in the first argument of an event of the rooms profile, and its room of the
// hub. The argument is the name, or an object with it.
func (d *Dialect) profileRoom(ev *event) (name, room string, e *protocol.Error) {
	if len(ev.args) == 0 || !isObject(ev.args[0]) {
		return d.roomArgument(ev, 0)
	}
	var q struct {
		Room json.RawMessage `json:"room"`
	}
	if json.Unmarshal(ev.args[0], &q) != nil {
		return "", "", noRoomName()
	}
	name, ok := textOf(q.Room)
	if !ok {
		return "", "", protocol.Errorf(protocol.InvalidChannel, "the member room of the argument must be a text, the name of the room")
	}
	room, e = d.server.room(ev.in.Name, name)
	return name, room, e
}

func isObject(text []byte) bool { return len(text) > 0 && text[0] == '{' }

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
		sub, e := s.Replay(s.Context(), q)
		if e != nil {
			return e
		}
		if answer.take(q, sub); s.ShowMembers(q.Channel, once) == nil {
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

// leave handles `leave`.
func leave(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	_, room, e := d.profileRoom(ev)
	if e != nil {
		return e
	}
	return s.Unsubscribe(room, done(ev.packet, ""))
}

// message handles `message`: a room that the client has joined, and what the others in it get.
func message(d *Dialect, s *session.Session, ev *event) *protocol.Error {
	_, room, e := d.profileRoom(ev)
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
	_, room, e := d.profileRoom(ev)
	if e != nil {
		return e
	}
	return s.Members(room, "", func(snapshot *presence.Snapshot) {
		s.Conn().Send(acknowledge(ev.packet, append(appendMembers([]byte(`{"ok":true,"members":`), snapshot.Members), '}')))
	})
}
