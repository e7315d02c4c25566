package redis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Redis stores a message as: version of the format (1 byte), anchor (4), time in nanoseconds
// (8), event and sender with their lengths, content, for a connection that is left out its mark and
// its id, and for tags their mark and the tags.
//
// Through Pub/Sub it has something before that. In rooms with history: "h", epoch, ":", offset,
// ":". In other rooms: "e", the node that published it (8 bytes), its serial number on that
// node (8).

const frameVersion = 1

var errFrame = errors.New("redis: not a message")

// appendMessage appends the stored form of m.
func appendMessage(dst []byte, m *hub.Message) []byte {
	dst = append(dst, frameVersion)
	dst = binary.BigEndian.AppendUint32(dst, m.Position.Anchor)
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Time.UnixNano()))
	dst = binary.AppendUvarint(dst, uint64(len(m.Event)))
	dst = append(dst, m.Event...)
	dst = binary.AppendUvarint(dst, uint64(len(m.Sender)))
	dst = append(dst, m.Sender...)
	dst = append(dst, m.Content...)
	if m.Except != "" {
		dst = append(append(append(dst, exceptMark...), '"'), m.Except...)
		dst = append(dst, '"')
	}
	if len(m.Tags) > 0 {
		dst = append(append(dst, tagsMark...), m.Tags...)
	}
	return dst
}

// tagsMark stands between a content and tags. It begins with a line end, which no compact JSON has.
// Nodes of an earlier version take both for the content and write it into their envelopes as it is:
// there it is the field "tags" behind the content. A new version of the format would have made the
// logs of rooms unreadable for them.
const tagsMark = "\n,\"tags\":"

// cutTags cuts the tags off what follows the sender.
func cutTags(b []byte) (content, tags []byte) {
	at := bytes.LastIndexByte(b, tagsMark[0])
	if at < 0 || !bytes.HasPrefix(b[at:], []byte(tagsMark)) {
		return b, nil
	}
	return b[:at:at], b[at+len(tagsMark):]
}

// exceptMark stands between a content and the connection that does not get the message, like
// [tagsMark]. Nodes of an earlier version send the message to that connection as well.
const exceptMark = "\n,\"except\":"

// cutExcept cuts the connection that is left out off what follows the sender.
func cutExcept(b []byte) (content []byte, except string) {
	at := bytes.LastIndexByte(b, exceptMark[0])
	if at < 0 || !bytes.HasPrefix(b[at:], []byte(exceptMark)) {
		return b, ""
	}
	return b[:at:at], strings.Trim(string(b[at+len(exceptMark):]), `"`)
}

// parseMessage parses the stored form. The position has only the anchor.
func parseMessage(channel, s string) (*hub.Message, error) {
	const fixed = 1 + 4 + 8
	if len(s) < fixed || s[0] != frameVersion {
		return nil, errFrame
	}
	b := []byte(s) // one copy; the content is a part of it
	m := &hub.Message{Channel: channel, Time: time.Unix(0, int64(binary.BigEndian.Uint64(b[5:])))}
	m.Position.Anchor = binary.BigEndian.Uint32(b[1:])
	b = b[fixed:]
	var ok bool
	if m.Event, b, ok = cutText(b); !ok {
		return nil, errFrame
	}
	if m.Sender, b, ok = cutText(b); !ok {
		return nil, errFrame
	}
	b, m.Tags = cutTags(b)
	m.Content, m.Except = cutExcept(b)
	return m, nil
}

// cutText cuts a text with its length off b.
func cutText(b []byte) (text string, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	end := size + int(n)
	return string(b[size:end]), b[end:], true
}

// parsePlaced parses what arrives through Pub/Sub in a room with history.
func parsePlaced(channel, s string) (*hub.Message, error) {
	epoch, rest, ok := strings.Cut(strings.TrimPrefix(s, "h"), ":")
	if !ok {
		return nil, errFrame
	}
	offset, rest, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, errFrame
	}
	n, err := strconv.ParseUint(offset, 10, 64)
	if err != nil || epoch == "" {
		return nil, errFrame
	}
	m, err := parseMessage(channel, rest)
	if err != nil {
		return nil, err
	}
	m.Position.Epoch, m.Position.Offset = epoch, n
	return m, nil
}

// serial names a message without position: the node that published it, and its number on that
// node.
type serial struct {
	node string
	n    uint64
}

const nodeLength = 8 // bytes of a node's name

// appendSerial appends the start of a message without position.
func appendSerial(dst []byte, s serial) []byte {
	dst = append(append(dst, 'e'), s.node...)
	return binary.BigEndian.AppendUint64(dst, s.n)
}

// parsePlain parses a message without position.
func parsePlain(channel, s string) (*hub.Message, serial, error) {
	id, rest, ok := cutSerial(s)
	if !ok {
		return nil, serial{}, errFrame
	}
	m, err := parseMessage(channel, rest)
	if err != nil {
		return nil, serial{}, err
	}
	m.Position = hub.Position{}
	return m, id, nil
}

func cutSerial(s string) (id serial, rest string, ok bool) {
	const fixed = 1 + nodeLength + 8
	if len(s) < fixed || s[0] != 'e' {
		return serial{}, "", false
	}
	return serial{s[1 : 1+nodeLength], binary.BigEndian.Uint64([]byte(s[1+nodeLength : fixed]))}, s[fixed:], true
}

// parsePosition parses a position as scripts write it: epoch, offset and anchor, separated by
// colons.
func parsePosition(s string) (hub.Position, error) {
	epoch, rest, _ := strings.Cut(s, ":")
	offset, anchor, ok := strings.Cut(rest, ":")
	n, err := strconv.ParseUint(offset, 10, 64)
	if !ok || err != nil {
		return hub.Position{}, errFrame
	}
	a, err := strconv.ParseUint(anchor, 10, 32)
	if err != nil {
		return hub.Position{}, errFrame
	}
	return hub.Position{Epoch: epoch, Offset: n, Anchor: uint32(a)}, nil
}

// A message to one member arrives through the Pub/Sub channel of its room as: "d::", then "e",
// node and serial number as in rooms without history, then user and connection of the receiver
// and of the sender, each with its length, then the message.
//
// Nodes of an earlier version do not know such messages, and must not show them to the whole
// room. They take a message that does not start with "e" for one with a position. There the
// offset between the colons is empty, so they ignore the message.
const directMark = "d::"

func appendDirect(dst []byte, m *hub.Message, id serial) []byte {
	to, from := m.Direct.To, m.Direct.From
	dst = appendSerial(append(dst, directMark...), id)
	for _, text := range [...]string{to.User, to.Connection, from.User, from.Connection} {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = append(dst, text...)
	}
	return appendMessage(dst, m)
}

// parseDirect parses a message to one member.
func parseDirect(channel, s string) (*hub.Message, serial, error) {
	id, rest, ok := cutSerial(strings.TrimPrefix(s, directMark))
	if !ok {
		return nil, serial{}, errFrame
	}
	var d hub.Direct
	b := []byte(rest)
	for _, text := range []*string{&d.To.User, &d.To.Connection, &d.From.User, &d.From.Connection} {
		if *text, b, ok = cutText(b); !ok {
			return nil, serial{}, errFrame
		}
	}
	m, err := parseMessage(channel, string(b))
	if err != nil {
		return nil, serial{}, err
	}
	m.Position, m.Direct = hub.Position{}, &d
	return m, id, nil
}

// A volatile message arrives through the Pub/Sub channel of its room as: "v::", then like a
// message in a room without history. Nodes of an earlier version ignore it: they would take it
// for a message of such a room, and count it where they count positions.
const volatileMark = "v::"

// parseVolatile parses a volatile message.
func parseVolatile(channel, s string) (*hub.Message, serial, error) {
	m, id, err := parsePlain(channel, strings.TrimPrefix(s, volatileMark))
	if err == nil {
		m.Volatile = true
	}
	return m, id, err
}
