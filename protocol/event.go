package protocol

import "github.com/caddy-realtime/caddy-realtime/hub"

// Event is something the server says. A type that implements it can be given to
// [hub.Conn.Send] and [hub.Hub.Announce], and is encoded without being listed
// anywhere. Implementations are values that do not change once they were sent.
type Event interface {
	// AppendEnvelope appends the JSON text of the whole envelope, on one line.
	AppendEnvelope(dst []byte) []byte
}

// Named is an optional ability of an [Event]: the type of its envelope, which is
// its name on an event stream. Without it the event has no name there and
// reaches the listeners for plain messages.
type Named interface {
	EventName() string
}

// AppendEnvelope appends the envelope of anything the hub may send in this
// dialect. An event that has no form here appends nothing.
func AppendEnvelope(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case *hub.Message:
		return appendMessage(dst, ev)
	case hub.Gap:
		return appendGap(dst, ev)
	case hub.Reconnect:
		return appendReconnect(dst, ev)
	case Event:
		return ev.AppendEnvelope(dst)
	}
	return dst
}

// EventName gives an event's name on an event stream: the application's own name
// for a message that has one, else the type of the envelope. It is "message" for
// a plain message, the name that needs no `event:` line, and empty for an event
// that has none.
func EventName(ev hub.Event) string {
	switch ev := ev.(type) {
	case *hub.Message:
		if ev.Event != "" {
			return ev.Event
		}
		return TypeMessage
	case hub.Gap:
		return TypeGap
	case hub.Reconnect:
		return TypeReconnect
	case Named:
		return ev.EventName()
	}
	return ""
}
