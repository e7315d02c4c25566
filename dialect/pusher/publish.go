package pusher

import (
	"encoding/json"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const (
	// maxEvent is the greatest length of the name of an event, in bytes.
	maxEvent = 200
	// maxClientData is the greatest size of the data of a client's event, in bytes.
	maxClientData = 10 << 10
)

func isClientEvent(event string) bool { return strings.HasPrefix(event, "client-") }

// publish handles an event of a client: for everybody else in a private or presence channel that
// the client is subscribed to.
func publish(d Dialect, s *session.Session, m *message) *protocol.Error {
	room := d.App.Prefix + m.Channel
	switch {
	case !valid(m.Channel) || len(m.Event) > maxEvent:
		return protocol.Errorf(protocol.InvalidMessage, "the name of the channel or of the event can not be used")
	case !d.App.ClientEvents:
		return protocol.Errorf(protocol.Forbidden, "client events are not enabled for this app")
	case !needsAuth(m.Channel):
		return protocol.Errorf(protocol.Forbidden, "client events are for private and presence channels")
	case !s.Conn().In(room):
		return protocol.Errorf(protocol.Forbidden, "a client event needs a subscription to its channel")
	case len(m.Data) > maxClientData:
		return protocol.Errorf(protocol.TooLarge, "the data of a client event is larger than %d bytes", maxClientData)
	}
	content, e := clientContent(m.Data)
	if e != nil {
		return e
	}
	_, e = s.Publish(s.Context(), protocol.Publish{
		Channel: room, Event: m.Event, Content: content, Except: s.Conn().ID(),
		Volatile: isCache(m.Channel), // a cache has events of the app alone
	})
	return e
}

// clientContent returns the data of a client's event as a content. Some clients send an object as
// JSON in a string.
func clientContent(data json.RawMessage) (json.RawMessage, *protocol.Error) {
	if len(data) == 0 {
		return json.RawMessage("null"), nil
	}
	var inner string
	if json.Unmarshal(data, &inner) == nil && inner != "" && (inner[0] == '{' || inner[0] == '[') {
		if content, e := protocol.DecodeContent([]byte(inner)); e == nil {
			return content, nil
		}
	}
	return protocol.DecodeContent(data)
}

// content returns the data of an event of the app as a content.
func content(data string) json.RawMessage {
	if c, e := protocol.DecodeContent([]byte(data)); e == nil {
		return c
	}
	return protocol.AppendString(nil, strings.ToValidUTF8(data, "\uFFFD"))
}
