package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// DefaultHistory is how many messages `history` brings when no limit is given.
const DefaultHistory = 100

// History is the payload of `history` as a command.
type History struct {
	Channel string
	// Since asks for the messages after a position, oldest first; nil for the
	// newest ones.
	Since *hub.Position
	// Limit is the greatest number of messages, at most [MaxHistory]; 0 asks for
	// the position alone.
	Limit int
}

// DecodeHistory reads the payload of `history`.
func DecodeHistory(payload json.RawMessage) (History, *Error) {
	h := History{Limit: DefaultHistory}
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			h.Channel = m.text()
		case "since":
			h.Since = m.position()
		case "limit":
			h.Limit = int(m.integer(MaxHistory))
		}
	}
	m.require("channel")
	m.check(ValidChannel, h.Channel)
	if m.err != nil {
		return History{}, m.err
	}
	return h, nil
}

// Query is the question to the hub.
func (h History) Query() hub.HistoryQuery {
	return hub.HistoryQuery{Since: h.Since, Limit: h.Limit}
}
