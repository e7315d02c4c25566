package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// MaxHistory is the greatest number of messages a client may ask for at once.
const MaxHistory = 1000

// Subscribe is the payload of `subscribe`.
type Subscribe struct {
	Channel string
	// Recover asks for everything after a position; nil does not.
	Recover *hub.Position
	// History asks for the newest messages, at most [MaxHistory]; 0 for none.
	// Where Recover is given it is not needed.
	History int
	// Appearance is how the own member shows in a room with presence.
	Appearance
}

// DecodeSubscribe reads the payload of `subscribe`.
func DecodeSubscribe(payload json.RawMessage) (Subscribe, *Error) {
	var s Subscribe
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			s.Channel = m.text()
		case "recover":
			s.Recover = m.position()
		case "history":
			s.History = int(m.integer(MaxHistory))
		default:
			s.take(&m)
		}
	}
	m.require("channel")
	m.check(ValidChannel, s.Channel)
	if m.err != nil {
		return Subscribe{}, m.err
	}
	return s, nil
}
