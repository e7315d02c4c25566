package socketio

import (
	"bytes"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// A message with several arguments, or none, has them as an array in its content, and this tag says
// so. Another tag says that there is binary data in the content. Apps may set the tags as well.
var (
	tagArgs   = []byte(`"socketio":"args"`)
	tagBinary = []byte(`"socketio":"binary"`)
	tagBoth   = []byte(`"socketio":"args binary"`)
)

// encoder writes the events of the hub as text packets of the transport: a 4, and the packet of this
// protocol. It is comparable.
type encoder struct {
	places
	offsets bool // clients can recover, see recovery.go
}

// frame is a whole text packet.
type frame string

// sealed is a frame that is complete, also with the argument for recovery.
type sealed string

// attachment is binary data that follows a packet.
type attachment []byte

// IsBinary reports whether an event is binary data, which the transport sends as it is.
func (encoder) IsBinary(ev hub.Event) bool {
	_, ok := ev.(attachment)
	return ok
}

// AppendEvent implements [hub.Encoder].
func (c encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case *hub.Message:
		return c.appendMessage(dst, ev)
	case frame:
		return c.appendFrame(dst, ev)
	case sealed:
		return append(dst, ev...)
	case attachment:
		return append(dst, ev...)
	case hub.Gap:
		if namespace, name, ok := c.profile(ev.Channel); ok {
			return append(dst, packetOf(namespace, "gap", appendRoomObject(nil, name))...)
		}
	case protocol.UnsubscribedReply:
		if namespace, name, ok := c.profile(ev.Channel); ok && ev.Cause != nil {
			return append(dst, packetOf(namespace, "unsubscribed", appendRoomError(nil, name, ev.Cause))...)
		}
	}
	return dst
}

// Split returns the packets of an event that is several of them: a message with attachments, and the
// changes of the members of a room.
func (c encoder) Split(ev hub.Event) []hub.Event {
	switch ev := ev.(type) {
	case *hub.Message:
		if len(ev.Tags) > 0 && (bytes.Contains(ev.Tags, tagBinary) || bytes.Contains(ev.Tags, tagBoth)) {
			return c.splitMessage(ev)
		}
	case protocol.PresenceEvent:
		switch f := ev.Frame.(type) {
		case *presence.Diff:
			return c.splitDiff(f)
		case *presence.Snapshot:
			return c.splitSnapshot(f)
		}
	case parts:
		return ev
	}
	return nil
}

// parts is a packet with its attachments.
type parts []hub.Event

// profile returns where a room is, if its clients know the events of the rooms profile.
func (c encoder) profile(room string) (namespace, name string, ok bool) {
	namespace, name, all, ok := c.find(room)
	return namespace, name, ok && !all && c.profiled(namespace)
}

// messageEvent returns the name of the event of a message. Without one it is the name of the rooms
// profile. A name that the libraries use themselves would make clients believe what is not true.
func messageEvent(m *hub.Message) (name string, ok bool) {
	if m.Event == "" {
		return "message", true
	}
	return m.Event, !isReserved(m.Event)
}

// appendMessage appends a message without attachments.
func (c encoder) appendMessage(dst []byte, m *hub.Message) []byte {
	event, ok := messageEvent(m)
	namespace, name, all, found := c.find(m.Channel)
	if !ok || !found {
		return dst
	}
	dst = appendHead(dst, kindEvent, 0, namespace, "")
	dst = protocol.AppendString(append(dst, '['), event)
	if !all && c.echoes(namespace) {
		dst = protocol.AppendString(append(dst, ','), name)
	}
	dst = appendArguments(dst, m, m.Content)
	if !all && c.profiled(namespace) {
		dst = appendMeta(append(dst, ','), name, m)
	}
	if c.offsets {
		dst = appendOffset(dst, m)
	}
	return append(dst, ']')
}

// splitMessage returns a message with its attachments.
func (c encoder) splitMessage(m *hub.Message) []hub.Event {
	plain := *m
	text, data := extract(m.Content)
	plain.Content = text
	packet := c.appendMessage(nil, &plain)
	if len(packet) == 0 {
		return []hub.Event{}
	}
	all := binaryPacket(packet, data)
	all[0] = sealed(all[0].(frame))
	return all
}

// binaryPacket turns the packet of an event, or of an acknowledgement, into one with attachments.
func binaryPacket(packet []byte, data [][]byte) []hub.Event {
	if len(data) == 0 {
		return []hub.Event{frame(packet)}
	}
	kind := byte(kindBinaryEvent)
	if packet[1] == kindAck {
		kind = kindBinaryAck
	}
	head := strconv.AppendInt([]byte{'4', kind}, int64(len(data)), 10)
	all := []hub.Event{frame(append(append(head, '-'), packet[2:]...))}
	for _, d := range data {
		all = append(all, attachment(d))
	}
	return all
}

// appendArguments appends the arguments of a message, each with a comma in front.
func appendArguments(dst []byte, m *hub.Message, content []byte) []byte {
	if len(content) == 0 {
		return append(dst, ",null"...)
	}
	if content[0] != '[' || len(m.Tags) == 0 || !bytes.Contains(m.Tags, tagArgs) && !bytes.Contains(m.Tags, tagBoth) {
		return append(append(dst, ','), content...)
	}
	if len(content) == 2 {
		return dst
	}
	return append(append(dst, ','), content[1:len(content)-1]...)
}

// appendHead appends the beginning of a text packet.
func appendHead(dst []byte, kind byte, attachments int, namespace, id string) []byte {
	dst = append(dst, '4', kind)
	if attachments > 0 {
		dst = append(strconv.AppendInt(dst, int64(attachments), 10), '-')
	}
	if namespace != root {
		dst = append(append(dst, namespace...), ',')
	}
	return append(dst, id...)
}

// packetOf makes the packet of an event. Each argument is JSON.
func packetOf(namespace, event string, arguments ...[]byte) frame {
	dst := appendHead(nil, kindEvent, 0, namespace, "")
	dst = protocol.AppendString(append(dst, '['), event)
	for _, a := range arguments {
		dst = append(append(dst, ','), a...)
	}
	return frame(append(dst, ']'))
}

// AppendPing implements [hub.Encoder]. The transport has pings.
func (encoder) AppendPing(dst []byte) []byte { return dst }

// AppendClose implements [hub.Encoder]. A client reconnects by itself when its transport is closed. One
// that must not come back is disconnected from each namespace before; those that it has not joined
// mean nothing to it. The transport sends what is between two marks as a packet of its own.
func (c encoder) AppendClose(dst []byte, r hub.Reason) []byte {
	if r.Code < leastOwn || protocol.MayReconnect(r.Code) {
		return dst
	}
	start := len(dst)
	for line := range bytes.SplitSeq([]byte(c.namespaces), []byte("\n")) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if len(name) == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, separator)
		}
		dst = appendHead(dst, kindDisconnect, 0, string(name), "")
	}
	return dst
}

// leastOwn is the least code that is not one of WebSocket itself. The others are about the connection, such as
// a packet that breaks the protocol, and not about the client.
const leastOwn = 4000

// separator stands between the packets of a text.
const separator = 0x1E
