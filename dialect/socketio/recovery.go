package socketio

import (
	"bytes"
	"crypto/rand"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Connection state recovery: a client whose connection was lost sends the secret `pid` of the namespace
// and the `offset` of the last event that it has. It takes the last argument of each event for the
// offset if that is a text. So with recovery on, an event of a room with history ends with its
// position there, and what a client would wrongly take for an offset gets a null behind it.
//
// The client is in several rooms and names one position. The trail of the connection ([hub.Trail]) says what it
// was sent before that one in the other rooms. A position that a client has made up can only change which of its
// own messages it gets again.

// former is what a client says about its lost connection.
type former struct {
	pid  string
	last *hub.Position // of the last event that it has; nil: it has none
}

// takeFormer removes pid and offset from the auth of a client, and returns what they say; nil if that is
// nothing. They are no business of the app, and pid is a secret.
func (d *Dialect) takeFormer(in *joined) *former {
	if d.server.Recovery <= 0 || in.auth == nil {
		return nil
	}
	f, rest, odd := former{}, [][]byte(nil), false
	for _, member := range elements(in.auth) {
		if raw, ok := bytes.CutPrefix(member, []byte(`"pid":`)); ok {
			f.pid, _ = textOf(raw)
		} else if raw, ok := bytes.CutPrefix(member, []byte(`"offset":`)); ok {
			text, ok := textOf(raw)
			p, e := parsePosition(text)
			if odd = !ok || e != nil; !odd {
				f.last = p
			}
		} else {
			rest = append(rest, member)
		}
	}
	if f.pid == "" {
		return nil
	}
	in.auth = object(rest)
	if odd {
		return nil
	}
	return &f
}

// object joins the texts of members to an object; nil without any.
func object(members [][]byte) []byte {
	if len(members) == 0 {
		return nil
	}
	return append(append([]byte{'{'}, bytes.Join(members, []byte{','})...), '}')
}

// recover goes on where the lost connection of the client was in a namespace. It returns false if the client
// gets a new session.
func (d *Dialect) recover(s *session.Session, in *joined, f *former) bool {
	in.pid = f.pid
	if !s.Resume(s.Context(), session.Resumption{
		Ticket: f.pid,
		Group:  d.server.broadcastRoom(in.Name),
		Last:   f.last,
		First:  !d.known,
		Reply:  func() []hub.Event { return []hub.Event{connected(s, in)} },
	}) {
		return false
	}
	d.enters(in)
	d.issue(s, in)
	if room := d.server.broadcastRoom(in.Name); s.Opens(room) && !s.Conn().In(room) { // there was no block for it then
		_ = s.Subscribe(s.Context(), protocol.Subscribe{Channel: room}, session.SubscribeOptions{})
	}
	return true
}

// issue lets the client recover the namespace after a loss of the connection.
func (d *Dialect) issue(s *session.Session, in *joined) {
	if in.pid != "" {
		s.Issue(session.Ticket{ID: in.pid, Group: d.server.broadcastRoom(in.Name), Life: d.server.Recovery})
	}
}

// newPID returns a new secret; empty if clients can not recover.
func (s *Server) newPID() string {
	if s.Recovery <= 0 {
		return ""
	}
	return rand.Text()
}

// groups returns the function that names the namespace of a room, by the room of all its clients.
func (s *Server) groups() func(channel string) string {
	places := s.places()
	return func(channel string) string {
		namespace, _, _, ok := places.find(channel)
		if !ok {
			return ""
		}
		return places.prefix + "io:" + namespace
	}
}

// appendOffset appends the argument with which a client can recover behind a message.
func appendOffset(dst []byte, m *hub.Message) []byte {
	if m.Position.IsZero() || m.Direct != nil || m.Volatile {
		return appendNull(dst)
	}
	return append(appendPosition(append(dst, `,"`...), m.Position), '"')
}

// appendNull appends an argument that is no offset, if the last one could be taken for an offset. It is
// the name of the event if there is none.
func appendNull(dst []byte) []byte {
	if len(dst) > 0 && dst[len(dst)-1] == '"' {
		return append(dst, ",null"...)
	}
	return dst
}

// appendFrame appends a packet that is not from a room.
func (c encoder) appendFrame(dst []byte, f frame) []byte {
	end := len(f) - 1
	if !c.offsets || end < 2 || f[1] != kindEvent && f[1] != kindBinaryEvent || f[end] != ']' {
		return append(dst, f...)
	}
	return append(appendNull(append(dst, f[:end]...)), ']')
}
