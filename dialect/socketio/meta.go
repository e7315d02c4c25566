package socketio

import (
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// appendMeta appends what a client of the rooms profile learns about a message.
func appendMeta(dst []byte, room string, m *hub.Message) []byte {
	dst = protocol.AppendString(append(dst, `{"room":`...), room)
	if !m.Position.IsZero() {
		dst = append(appendPosition(append(dst, `,"id":"`...), m.Position), '"')
	}
	if m.Sender != "" {
		dst = appendMember(append(dst, `,"from":`...), m.Sender, "", "")
	}
	dst = strconv.AppendInt(append(dst, `,"ts":`...), m.Time.UnixMilli(), 10)
	return append(dst, '}')
}

// appendPosition appends the position of a message as one text, which has only letters, digits and dots.
func appendPosition(dst []byte, p hub.Position) []byte {
	dst = append(append(dst, p.Epoch...), '.')
	dst = strconv.AppendUint(dst, p.Offset, 10)
	if p.Anchor != 0 {
		dst = protocol.AppendAnchor(append(dst, '.'), p.Anchor)
	}
	return dst
}

// parsePosition reads the text of appendPosition.
func parsePosition(text string) (*hub.Position, *protocol.Error) {
	epoch, rest, _ := strings.Cut(text, ".")
	offset, anchor, _ := strings.Cut(rest, ".")
	p, e := protocol.ParsePosition(strings.Clone(epoch), offset, anchor)
	if e != nil {
		return nil, e
	}
	return &p, nil
}

// appendMember appends a member. Its id is that of the user, or that of the connection of an anonymous
// client.
func appendMember(dst []byte, key, status, info string) []byte {
	dst = protocol.AppendString(append(dst, `{"id":`...), key)
	if !isConnection(key) {
		dst = protocol.AppendString(append(dst, `,"user":`...), key)
	}
	if status != "" {
		dst = protocol.AppendString(append(dst, `,"status":`...), status)
	}
	if info != "" {
		dst = append(append(dst, `,"info":`...), info...)
	}
	return append(dst, '}')
}

// isConnection reports whether an id has the form of the ids that the hub gives connections, and so is
// no user's.
func isConnection(id string) bool {
	const length = 16
	return len(id) == length && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

func appendMembers(dst []byte, members []*presence.Member) []byte {
	dst = append(dst, '[')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendMember(dst, m.Key, m.Status, m.Info)
	}
	return append(dst, ']')
}

func appendRoomObject(dst []byte, room string) []byte {
	return append(protocol.AppendString(append(dst, `{"room":`...), room), '}')
}

func appendRoomError(dst []byte, room string, e *protocol.Error) []byte {
	dst = protocol.AppendString(append(dst, `{"room":`...), room)
	return append(appendError(append(dst, `,"error":`...), e), '}')
}

// splitDiff makes an event of each change of a member.
func (c encoder) splitDiff(d *presence.Diff) []hub.Event {
	if namespace, name, all, ok := c.find(d.Channel); ok && !all && c.echoes(namespace) {
		return echoDiff(namespace, name, d)
	}
	all := []hub.Event{}
	namespace, name, ok := c.profile(d.Channel)
	if !ok {
		return all
	}
	room := appendRoomObject(nil, name)
	add := func(event string, members []*presence.Member) {
		for _, m := range members {
			all = append(all, packetOf(namespace, event, appendMember(nil, m.Key, m.Status, m.Info), room))
		}
	}
	add("presence:leave", d.Left)
	add("presence:join", d.Entered)
	add("presence:update", d.Updated)
	return all
}

// splitSnapshot makes the event with which a room announces its members when too many have changed at
// once.
func (c encoder) splitSnapshot(s *presence.Snapshot) []hub.Event {
	if namespace, name, all, ok := c.find(s.Channel); ok && !all && c.echoes(namespace) {
		return echoMembers(namespace, name, s.Members)
	}
	namespace, name, ok := c.profile(s.Channel)
	if !ok {
		return []hub.Event{}
	}
	room := protocol.AppendString([]byte(`{"room":`), name)
	room = strconv.AppendInt(append(room, `,"count":`...), int64(s.Count), 10)
	return []hub.Event{packetOf(namespace, "presence:members", appendMembers(nil, s.Members), append(room, '}'))}
}
