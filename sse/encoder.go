package sse

import (
	"bytes"
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Encoder makes the bytes of an event stream. Streams with equal encoders share the bytes of a
// broadcast.
type Encoder struct {
	// Content makes the data of a message its content alone, and that of a string its text.
	// All other events keep their envelopes.
	Content bool
	// Stamped omits the `id:` lines. The connection's [hub.Stamper] writes them, because each
	// stream of several channels has a cursor of its own.
	Stamped bool
}

// AppendEvent appends an event: its id, name and data, and the blank line that
// ends it.
func (e Encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	switch ev := ev.(type) {
	case *hub.Message:
		return e.appendMessage(dst, ev)
	case hub.Gap:
		dst = e.appendID(dst, ev.Channel, ev.Position)
	case hub.Progress:
		// Without data it is no event for the page, but the client keeps the id.
		return append(e.appendID(dst, ev.Channel, ev.Position), '\n')
	case hub.Reconnect:
		dst = appendRetry(dst, ev.After)
	case protocol.SubscribedReply:
		if !ev.Recover {
			// A client that recovers has a cursor, which the replay updates. The position
			// after the replay would lose the rest of the replay if the connection broke
			// in the middle of it.
			dst = e.appendID(dst, ev.Channel, ev.Position)
		}
	}
	return appendEnvelope(dst, ev)
}

func (e Encoder) appendMessage(dst []byte, m *hub.Message) []byte {
	if !e.Content {
		return appendEnvelope(e.appendID(dst, m.Channel, m.Position), m)
	}
	dst = appendName(e.appendID(dst, m.Channel, m.Position), m)
	return append(appendData(dst, text(m.Content)), '\n')
}

// text returns the characters of a content that is a JSON string, and any other content as it
// is.
func text(content []byte) []byte {
	switch {
	case len(content) < 2 || content[0] != '"':
		return content
	case bytes.IndexByte(content, '\\') < 0:
		return content[1 : len(content)-1]
	}
	var s string
	if err := json.Unmarshal(content, &s); err != nil {
		return content // not JSON: the hub does not check contents
	}
	return []byte(s)
}

// appendEnvelope appends name and data of an event; nothing for an event without an envelope.
func appendEnvelope(dst []byte, ev hub.Event) []byte {
	begin := len(dst)
	dst = appendName(dst, ev)
	start := len(dst)
	dst = append(dst, dataField...)
	dst = protocol.AppendEnvelope(dst, ev)
	if len(dst) == start+len(dataField) {
		return dst[:begin]
	}
	return append(endData(dst, start), '\n')
}

func (e Encoder) appendID(dst []byte, channel string, p hub.Position) []byte {
	if e.Stamped || p.IsZero() {
		return dst
	}
	var c protocol.Cursor
	c.Set(channel, p)
	return appendCursor(dst, &c)
}

// AppendPing appends a comment, which keeps proxies from closing the stream and
// which clients ignore.
func (Encoder) AppendPing(dst []byte) []byte { return append(dst, ":\n\n"...) }

// AppendClose appends the event `close` with the content of a WebSocket's close frame. An
// EventSource reconnects after any end of the stream; a page that listens to this event can
// close it if `reconnect` is false.
func (Encoder) AppendClose(dst []byte, r hub.Reason) []byte {
	type payload struct {
		Code      uint16 `json:"code"`
		Reason    string `json:"reason"`
		Reconnect bool   `json:"reconnect"`
	}
	data, err := json.Marshal(struct {
		Type    string  `json:"type"`
		Payload payload `json:"payload"`
	}{"close", payload{r.Code, r.Text, protocol.MayReconnect(r.Code)}})
	if err != nil {
		return dst // can not happen: these types have a JSON form
	}
	return append(appendData(append(dst, "event: close\n"...), data), '\n')
}
