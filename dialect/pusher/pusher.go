// Package pusher is the Pusher Channels protocol, version 7, on the rooms of a hub: WebSockets
// in this package's Dialect, and the HTTP API of the app in [Serve].
//
// A channel of Pusher is the room of the same name, behind the prefix of the app. The beginning
// of its name says who may subscribe: a private or presence channel needs a signature of the app,
// which [session.Pass] carries to the rules. Names of events are those of messages. Their data is
// a string in this protocol: JSON in it is the content of the message, any other string is a
// content that is a string. Content goes out as JSON in a string, so that clients of all
// dialects read the same value.
//
// The dialect has no state beside the configuration of its app, and starts no goroutine.
package pusher

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// Dialect is the dialect of one app.
type Dialect struct{ App *App }

var (
	_ session.Dialect    = Dialect{}
	_ session.Named      = Dialect{}
	_ session.Identifier = Dialect{}
)

// Name implements [session.Named].
func (Dialect) Name() string { return "pusher" }

// Encoder implements [session.Dialect].
func (d Dialect) Encoder() hub.Encoder {
	return encoder{prefix: d.App.Prefix, activity: int(d.App.Activity.Seconds()), counts: d.App.Counts}
}

// NewID implements [session.Identifier]. The libraries of apps accept only two numbers with a dot
// in between. Together they have 124 random bits.
func (Dialect) NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	id := strconv.AppendUint(nil, binary.BigEndian.Uint64(b[:8])>>2, 10)
	id = strconv.AppendUint(append(id, '.'), binary.BigEndian.Uint64(b[8:])>>2, 10)
	return string(id)
}

// message is what clients send.
type message struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

// command handles one kind of message, or returns an error.
type command func(d Dialect, s *session.Session, m *message) *protocol.Error

var commands = map[string]command{
	"pusher:ping":        ping,
	"pusher:pong":        func(Dialect, *session.Session, *message) *protocol.Error { return nil },
	"pusher:subscribe":   subscribe,
	"pusher:unsubscribe": unsubscribe,
	"pusher:signin":      signIn,
}

// Receive implements [session.Dialect].
func (d Dialect) Receive(s *session.Session, text []byte, _ bool) {
	if e, pause := s.Spend(); e != nil {
		s.Rejected("pusher", e)
		s.Offend(errorFrame(codeRate, e.Message))
		s.Pause(pause)
		return
	}
	e := d.receive(s, text)
	if e == nil {
		return
	}
	s.Rejected("pusher", e)
	code := codeGeneric
	if e.Code == protocol.Forbidden || e.Code == protocol.RateLimited {
		code = codeRate
	}
	if session.IsOffence(e.Code) {
		s.Offend(errorFrame(code, e.Message))
		return
	}
	s.Conn().Send(errorFrame(code, e.Message))
}

func (d Dialect) receive(s *session.Session, text []byte) *protocol.Error {
	var m message
	if json.Unmarshal(text, &m) != nil {
		return protocol.Errorf(protocol.InvalidJSON, "this is no message of the Pusher protocol")
	}
	if run, ok := commands[m.Event]; ok {
		return run(d, s, &m)
	}
	if isClientEvent(m.Event) {
		return publish(d, s, &m)
	}
	return protocol.Errorf(protocol.UnknownType, "this event is not taken from clients")
}

func ping(_ Dialect, s *session.Session, _ *message) *protocol.Error {
	s.Conn().Send(frame{event: "pusher:pong", data: "{}"})
	return nil
}

// decode reads the data of a message, which some clients send as JSON in a string.
func (m *message) decode(into any) *protocol.Error {
	data := []byte(m.Data)
	var inner string
	if json.Unmarshal(data, &inner) == nil {
		data = []byte(inner)
	}
	if len(data) == 0 || json.Unmarshal(data, into) != nil {
		return protocol.Errorf(protocol.InvalidMessage, "the data of %s can not be read", protocol.Quote(m.Event))
	}
	return nil
}
