package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Where emitters publish in Redis. Emitters for Node and their ports have a channel for each
// namespace and room, in which events are, and one for each namespace with requests. That of
// python-socketio has one channel for everything.
const (
	emittedPattern = "socket.io#*"
	requestChannel = "socket.io-request#" // the namespace and # follow
	pythonChannel  = "socketio"
)

// maxEmittedRooms is how many rooms an emitter may name in one event, those that it leaves out among
// them.
const maxEmittedRooms = 64

// selection is which clients of a namespace an emitter means. Rooms are those of Socket.IO; none means
// all clients.
type selection struct {
	namespace     string
	rooms, except names
}

// emitted is an event that an emitter sends.
type emitted struct {
	selection
	event    string
	args     [][]byte
	binary   bool
	volatile bool
}

// request is what an emitter does with clients themselves.
type request struct {
	selection
	join, leave names
	disconnect  bool
}

// names are the names of rooms. Emitters write one alone, or several, and numbers where an app has numbers.
type names []string

// UnmarshalJSON implements [json.Unmarshaler].
func (n *names) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return err
	}
	all := [][]byte{compact.Bytes()}
	if text[0] == '[' {
		all = elements(compact.Bytes())
	}
	for _, one := range all {
		name, ok := eventName([][]byte{one}) // the same forms: a text or a number
		if !ok {
			return errors.New("a room has no name")
		}
		*n = append(*n, name)
	}
	if len(*n) > maxEmittedRooms {
		return fmt.Errorf("it names more than %d rooms", maxEmittedRooms)
	}
	return nil
}

// The kinds of packets and requests that emitters send.
const (
	emittedEvent      = 2
	requestJoin       = 2
	requestLeave      = 3
	requestDisconnect = 4
)

// parseEmitted reads what is published in a channel of the pattern: who publishes it, a packet, and for
// whom it is.
func parseEmitted(frame []byte) (*emitted, error) {
	text, blobs, err := msgpackToJSON(frame)
	if err != nil {
		return nil, err
	}
	parts := elements(text)
	if len(parts) < 2 || text[0] != '[' {
		return nil, errors.New("it is not an event of an emitter")
	}
	var packet struct {
		Type int             `json:"type"`
		Data json.RawMessage `json:"data"`
		NSP  string          `json:"nsp"`
	}
	var to struct {
		Rooms  names `json:"rooms"`
		Except names `json:"except"`
		Flags  struct {
			Volatile bool `json:"volatile"`
		} `json:"flags"`
	}
	if err := json.Unmarshal(parts[1], &packet); err != nil {
		return nil, err
	}
	if len(parts) > 2 && string(parts[2]) != "null" {
		if err := json.Unmarshal(parts[2], &to); err != nil {
			return nil, err
		}
	}
	if packet.Type != emittedEvent && packet.Type != kindBinaryEvent-'0' {
		return nil, fmt.Errorf("a packet of type %d is not an event", packet.Type)
	}
	e := &emitted{selection: selection{packet.NSP, to.Rooms, to.Except}, binary: blobs > 0, volatile: to.Flags.Volatile}
	if blobs > maxAttachments {
		return nil, fmt.Errorf("it has more than %d binary values", maxAttachments)
	}
	return e, e.take(packet.Data)
}

// take takes the name of the event and its arguments.
func (e *emitted) take(data json.RawMessage) error {
	text, bad := protocol.DecodeContent(data)
	if bad != nil {
		return bad
	}
	all := elements(text)
	name, ok := eventName(all)
	if text[0] != '[' || !ok || name == "" || isReserved(name) {
		return errors.New("the event has no name that clients can be sent")
	}
	if bad := checkEvent(name); bad != nil {
		return bad
	}
	if e.namespace == "" {
		e.namespace = root
	}
	e.event, e.args = name, all[1:]
	return nil
}

// parseRequest reads what is published in the channel for requests of a namespace. Answers to requests,
// and those that only a server of Socket.IO can carry out, are errors.
func parseRequest(namespace string, frame []byte) (*request, error) {
	var q struct {
		Type int `json:"type"`
		Opts struct {
			Rooms  names `json:"rooms"`
			Except names `json:"except"`
		} `json:"opts"`
		Rooms names `json:"rooms"`
	}
	if err := json.Unmarshal(frame, &q); err != nil {
		return nil, err
	}
	r := &request{selection: selection{namespace, q.Opts.Rooms, q.Opts.Except}}
	switch q.Type {
	case requestJoin:
		r.join = q.Rooms
	case requestLeave:
		r.leave = q.Rooms
	case requestDisconnect:
		r.disconnect = true
	default:
		return nil, fmt.Errorf("a request of type %d is one for servers of Socket.IO", q.Type)
	}
	return r, nil
}

// errPickle is the error about what python-socketio has published before version 5.14. A pickle is a
// program, which whoever can publish would run here.
var errPickle = errors.New("it is a pickle, as python-socketio publishes before version 5.14; use 5.14 or later")

// pythonFrame is what python-socketio publishes.
type pythonFrame struct {
	Method    string          `json:"method"`
	Event     string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	Binary    *bool           `json:"binary"`
	Namespace string          `json:"namespace"`
	Room      names           `json:"room"`
	SkipSID   names           `json:"skip_sid"`
	SID       string          `json:"sid"`
}

// parsePython reads what python-socketio publishes: an event or a request; neither is what only its
// own servers understand.
func parsePython(frame []byte) (*emitted, *request, error) {
	if len(frame) > 0 && frame[0] == 0x80 {
		return nil, nil, errPickle
	}
	var q pythonFrame
	if err := json.Unmarshal(frame, &q); err != nil {
		return nil, nil, err
	}
	if q.Namespace == "" {
		q.Namespace = root
	}
	one := selection{namespace: q.Namespace, rooms: names{q.SID}}
	switch q.Method {
	case "emit":
		e, err := q.emit()
		return e, nil, err
	case "disconnect":
		return nil, &request{selection: one, disconnect: true}, nil
	case "enter_room":
		return nil, &request{selection: one, join: q.Room}, nil
	case "leave_room":
		return nil, &request{selection: one, leave: q.Room}, nil
	case "close_room":
		return nil, &request{selection: selection{namespace: q.Namespace, rooms: q.Room}, leave: q.Room}, nil
	case "callback":
		return nil, nil, nil
	}
	return nil, nil, fmt.Errorf("the method %s is not known", protocol.Quote(q.Method))
}

// emit returns the event of a frame. Its data is one argument. With the member `binary`, it is the array of
// the arguments; if that is true, it is such an array with placeholders, and then the binary data.
func (q *pythonFrame) emit() (*emitted, error) {
	e := &emitted{selection: selection{q.Namespace, q.Room, q.SkipSID}}
	data, bad := protocol.DecodeContent(q.Data)
	if bad != nil {
		return nil, bad
	}
	if q.Binary == nil {
		data = arrayOf([][]byte{data})
	} else if *q.Binary {
		var err error
		if data, err = reassemble(data); err != nil {
			return nil, err
		}
		e.binary = true
	}
	if data[0] != '[' {
		return nil, errors.New("the data is not an array of arguments")
	}
	args := elements(data)
	if len(args) == 1 && string(args[0]) == "null" { // None is no argument
		args = nil
	}
	name := protocol.AppendString(nil, q.Event)
	return e, e.take(arrayOf(append([][]byte{name}, args...)))
}

// reassemble puts binary data where its placeholders are.
func reassemble(data []byte) ([]byte, error) {
	parts := elements(data)
	if data[0] != '[' || len(parts) < 1 || len(parts) > 1+maxAttachments {
		return nil, fmt.Errorf("it is not an event with at most %d binary values", maxAttachments)
	}
	blobs := make([][]byte, len(parts)-1)
	for i, part := range parts[1:] {
		coded, ok := textOf(part)
		blob, err := base64.StdEncoding.DecodeString(coded)
		if !ok || err != nil {
			return nil, errors.New("the binary data is not base64")
		}
		blobs[i] = blob
	}
	text, _, ok := embed(parts[0], blobs, 2*len(data)+64)
	if !ok || len(text) == 0 {
		return nil, errors.New("the binary data does not match its placeholders")
	}
	return text, nil
}

// namespaceOf returns the namespace of a channel for requests.
func namespaceOf(channel string) string {
	return strings.TrimSuffix(strings.TrimPrefix(channel, requestChannel), "#")
}
