package client

import "strings"

// Dialect says how a server is spoken to. Rooms have names of letters, digits and colons.
type Dialect struct {
	WebSocket string // the path of a WebSocket, {room} stands for the room
	Stream    string // the path of an event stream
	Publish   string // the path that messages are sent to by POST
	Header    string // a header line of those requests, ends with \r\n
	// Subscribe is the first message of a client; none if the path says it all.
	// Subscribed is a part of the answer.
	Subscribe, Subscribed string
	// Begin is what a client sends before Subscribe, in protocols that need it; Ping and Pong
	// are heartbeats of the protocol that are messages. Each may be empty.
	Begin, Ping, Pong string
	// Frame is a message that publishes {text}; empty if the text is sent as it is. {key}
	// in front of the text stands for a key that no other message has.
	Frame string
	// Join returns the first message of the i-th client, made from the first one of the server, for
	// protocols that sign it; Subscribe counts if nil. Post returns a path and a body that publish
	// text by POST; Publish and the text itself count if nil.
	Join func(i int, greeting []byte) string
	Post func(room string, text []byte) (path string, body []byte)
}

// Native is the protocol of this project, below /realtime.
var Native = Dialect{
	WebSocket:  "/realtime",
	Stream:     "/realtime?channel={room}",
	Publish:    "/realtime/channels/{room}/messages",
	Header:     "Authorization: Bearer " + Key + "\r\nContent-Type: text/plain\r\n",
	Subscribe:  `{"type":"subscribe","payload":{"channel":"{room}"}}`,
	Subscribed: `"subscribed"`,
	Frame:      `{"type":"message","payload":{"channel":"{room}","content":"{text}"}}`,
}

// Key is the API key that [Native] publishes with.
const Key = "bench-key-that-protects-nothing-0123456789"

// Plain is the way of servers whose paths name the room, and which send what they get.
var Plain = Dialect{WebSocket: "/ws/{room}", Stream: "/sse/{room}", Publish: "/pub/{room}"}

func inRoom(template, room string) string {
	return strings.ReplaceAll(strings.ReplaceAll(template, "{room}", room), pusherChannel, channelOf(room))
}

func (d *Dialect) frame(room string, text []byte) []byte {
	if d.Frame == "" {
		return text
	}
	before, after, _ := strings.Cut(inRoom(d.Frame, room), "{text}")
	if len(text) >= stampLen {
		before = strings.ReplaceAll(before, "{key}", string(text[len(mark):stampLen]))
	}
	return append(append([]byte(before), text...), after...)
}
