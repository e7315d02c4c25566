package protocol

import (
	"encoding/json"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Authenticate is the payload of `authenticate`.
type Authenticate struct {
	// Token says who the client is. It is a secret: no error contains any part of it.
	Token string
}

// DecodeAuthenticate reads the payload of `authenticate`.
func DecodeAuthenticate(payload json.RawMessage) (Authenticate, *Error) {
	var a Authenticate
	m := walk(payload, "payload")
	for m.next() {
		if string(m.name) == "token" {
			a.Token = m.text()
		}
	}
	m.require("token")
	if m.err == nil && a.Token == "" {
		m.err = Errorf(InvalidMessage, "payload: \"token\" must not be empty")
	}
	if m.err != nil {
		return Authenticate{}, m.err
	}
	return a, nil
}

// MaxHistory is the greatest number of messages a client may ask for at once.
const MaxHistory = 1000

// Subscribe is the payload of `subscribe`.
type Subscribe struct {
	// Channel is a channel, or a pattern: then [IsPattern] is true.
	Channel string
	// Recover requests all messages after a position; nil requests none.
	Recover *hub.Position
	// History requests the newest messages, at most [MaxHistory]; 0 for none. With Recover it
	// is not needed.
	History int
	// Filter chooses the messages, see package filter. Nil: it was not given. An empty one
	// chooses all messages.
	Filter *string
	// Appearance is what other members see of the client in a room with presence.
	Appearance
}

// DecodeSubscribe reads the payload of `subscribe`.
func DecodeSubscribe(payload json.RawMessage) (Subscribe, *Error) {
	var s Subscribe
	var pattern string
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			s.Channel = m.text()
		case "pattern":
			pattern = m.text()
			m.check(possiblePattern, pattern)
		case "recover":
			s.Recover = m.position()
		case "history":
			s.History = int(m.integer(MaxHistory))
		case "filter":
			filter := m.text()
			s.Filter = &filter
		default:
			s.take(&m)
		}
	}
	s.Channel = m.channelOr(s.Channel, pattern)
	if m.err == nil && pattern != "" && (s.Recover != nil || s.History > 0) {
		m.err = Errorf(InvalidMessage, "payload: a pattern has no history, so there is neither \"recover\" nor \"history\"")
	}
	if m.err != nil {
		return Subscribe{}, m.err
	}
	return s, nil
}

// Unsubscribe is the payload of `unsubscribe`.
type Unsubscribe struct {
	// Channel is a channel, or a pattern: then [IsPattern] is true.
	Channel string
}

// DecodeUnsubscribe reads the payload of `unsubscribe`.
func DecodeUnsubscribe(payload json.RawMessage) (Unsubscribe, *Error) {
	var u Unsubscribe
	var pattern string
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "channel":
			u.Channel = m.text()
		case "pattern":
			pattern = m.text()
			m.check(possiblePattern, pattern)
		}
	}
	u.Channel = m.channelOr(u.Channel, pattern)
	if m.err != nil {
		return Unsubscribe{}, m.err
	}
	return u, nil
}

// Publish is the payload of a client's `message`.
type Publish struct {
	Channel string
	// Content is a copy in compact, valid JSON. It does not share the memory of the frame.
	Content json.RawMessage
	// Event is the app's name for the kind of message; may be empty.
	Event string
	// Key makes a repeated publish harmless; empty for none.
	Key string
	// To is the addressee; nil means everybody in the channel.
	To *hub.Address
	// Except is the id of a connection that does not get the message; empty for none. No
	// command of this protocol sets it.
	Except string
	// Tags are a compact copy of the tags; nil for none.
	Tags json.RawMessage
	// After says that the message must not overtake the one before it: it is rejected with
	// RATE_LIMITED if that one was.
	After bool
	// Volatile says that the history does not keep the message, and that nobody repeats it. It
	// has no Key.
	Volatile bool
	// Secret is that of a stream whose client publishes over HTTP, see [Connected]; empty for none. No
	// command sets it.
	Secret string
}

// DecodePublish reads the payload of a client's `message`.
func DecodePublish(payload json.RawMessage) (Publish, *Error) {
	return decodePublish(walk(payload, "payload"))
}

// Publish reads the payload of a command like [DecodePublish]. It does not scan the payload
// again.
func (c *Command) Publish() (Publish, *Error) { return decodePublish(c.walkPayload()) }

func decodePublish(m members) (Publish, *Error) {
	var p Publish
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
		case "tags":
			tags, e := DecodeTags(m.object())
			p.Tags = tags
			m.keep(e)
		case "after":
			p.After = m.boolean()
		case "volatile":
			p.Volatile = m.boolean()
		}
	}
	m.require("channel", "content")
	m.check(ValidChannel, p.Channel)
	if m.err != nil {
		return Publish{}, m.err
	}
	return p, nil
}

// DecodeContent checks a JSON text that is to be published. It returns a compact copy.
func DecodeContent(text []byte) (json.RawMessage, *Error) {
	s, err := scan(text)
	if err != nil {
		return nil, err
	}
	return compact(text, s.spaced > 0), nil
}

// DefaultHistory is how many messages `history` returns without a limit.
const DefaultHistory = 100

// History is the payload of `history` as a command.
type History struct {
	Channel string
	// Since requests the messages after a position, oldest first; nil requests the newest
	// ones.
	Since *hub.Position
	// Limit is the greatest number of messages, at most [MaxHistory]; 0 requests the
	// position alone.
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

// Ping is the payload of `ping`, which has no fields.
type Ping struct{}

// DecodePing reads the payload of `ping`.
func DecodePing(payload json.RawMessage) (Ping, *Error) {
	m := walk(payload, "payload")
	for m.next() {
	}
	return Ping{}, m.err
}

// MaxMethod is the greatest length of the method of a call, in bytes.
const MaxMethod = 64

// Call is the payload of `call`.
type Call struct {
	// Method is the app's name for what is to be done.
	Method string
	// Params is a copy in compact, valid JSON; nil for none.
	Params json.RawMessage
}

// DecodeCall reads the payload of `call`.
func DecodeCall(payload json.RawMessage) (Call, *Error) {
	var c Call
	m := walk(payload, "payload")
	for m.next() {
		switch string(m.name) {
		case "method":
			c.Method = m.text()
		case "params":
			c.Params = m.content()
		}
	}
	m.require("method")
	m.check(ValidMethod, c.Method)
	if m.err != nil {
		return Call{}, m.err
	}
	return c, nil
}

// ValidMethod checks the method of a call: 1 to 64 bytes of printable ASCII without spaces.
func ValidMethod(method string) *Error {
	if method == "" || len(method) > MaxMethod {
		return Errorf(InvalidMessage, "a method must have 1 to %d bytes", MaxMethod)
	}
	for i := range len(method) {
		if c := method[i]; c <= ' ' || c > '~' {
			return Errorf(InvalidMessage, "method %s must be printable ASCII without spaces", Quote(method))
		}
	}
	return nil
}
