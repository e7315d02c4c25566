package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Publish is the payload of a client's `message`.
type Publish struct {
	Channel string
	// Content is compact, valid JSON, and a copy: it does not share the memory of
	// the frame.
	Content json.RawMessage
	// Event is the application's name for the kind of message; may be empty.
	Event string
	// Key makes a repeated publish harmless; empty for none.
	Key string
	// To is for whom the message is; nil: for everybody in the channel.
	To *hub.Address
}

// DecodePublish reads the payload of a client's `message`.
func DecodePublish(payload json.RawMessage) (Publish, *Error) {
	var p Publish
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			p.Channel = m.text()
		case "content":
			p.Content = m.content()
		case "event":
			p.Event = m.text()
			m.check(ValidEvent, p.Event)
		case "key":
			p.Key = m.text()
			m.check(ValidKey, p.Key)
		case "to":
			to, e := DecodeAddress(m.object())
			p.To = to
			m.keep(e)
		}
	}
	m.require("channel", "content")
	m.check(ValidChannel, p.Channel)
	if m.err != nil {
		return Publish{}, m.err
	}
	return p, nil
}

// DecodeContent checks a JSON text that is to be published and gives it in compact
// form, as a copy.
func DecodeContent(text []byte) (json.RawMessage, *Error) {
	s, err := scan(text)
	if err != nil {
		return nil, err
	}
	return compact(text, s.spaced > 0), nil
}
