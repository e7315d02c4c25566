package ws

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// First bytes of the frames a server sends (RFC 6455, section 5.2): FIN and the
// opcode. Messages are never fragmented, and servers do not mask.
const (
	headText   = 0x80 | 0x1
	headBinary = 0x80 | 0x2
	headClose  = 0x80 | 0x8
	headPing   = 0x80 | 0x9
	headPong   = 0x80 | 0xA
)

const (
	// maxControl is the greatest payload of a control frame.
	maxControl = 125
	// maxCloseText is what a close frame holds beside its code.
	maxCloseText = maxControl - 2
	// mediumHeader is the length of the header of a payload of 126 to 65,535 bytes, the
	// size of most envelopes.
	mediumHeader = 4
	largeHeader  = 10
)

// envelopeHint is about the size of an envelope without the content. A buffer that starts with
// it grows once instead of several times.
const envelopeHint = 160

// Encoder makes finished WebSocket frames of the events of a dialect. Connections with
// equal encoders share the bytes of a broadcast.
type Encoder struct {
	// Text is the dialect's encoder: what it appends becomes a text frame. If it appends
	// something for a heartbeat, that takes the place of the ping of WebSocket. It may be
	// nil for the frames of WebSocket itself.
	Text hub.Encoder
}

// Splitter is an optional ability of a dialect's encoder: events that are several messages in its
// protocol. Each of them gets a frame.
type Splitter interface {
	// Split returns what an event consists of; nil if it is one message.
	Split(ev hub.Event) []hub.Event
}

// Binary is an optional ability of a dialect's encoder: events that are binary messages.
type Binary interface {
	// IsBinary reports whether the bytes of an event, or of one that Split has returned, are a
	// binary message, which may be empty.
	IsBinary(ev hub.Event) bool
}

// Closer is an optional ability of a dialect's encoder: close codes of its own. Without it the
// codes are those of the native protocol.
type Closer interface {
	// CloseReason returns the reason as the dialect says it.
	CloseReason(r hub.Reason) hub.Reason
}

// pong is the answer to a client's ping; only this package's Encoder knows it.
type pong string

// AppendEvent appends ev as a text frame, or as the frames that the dialect makes of it.
func (e Encoder) AppendEvent(dst []byte, ev hub.Event) []byte {
	hint := envelopeHint
	switch ev := ev.(type) {
	case pong:
		return appendControl(dst, headPong, string(ev))
	case *hub.Message:
		hint += len(ev.Content) + len(ev.Tags) + len(ev.Channel)
	}
	if s, ok := e.Text.(Splitter); ok {
		if parts := s.Split(ev); parts != nil {
			for _, part := range parts {
				dst = e.appendData(dst, part, hint)
			}
			return dst
		}
	}
	return e.appendData(dst, ev, hint)
}

// appendData appends one text or binary frame. hint is about the size of its payload.
func (e Encoder) appendData(dst []byte, ev hub.Event, hint int) []byte {
	start := len(dst)
	dst = slices.Grow(dst, mediumHeader+hint)[:start+mediumHeader]
	dst = seal(e.Text.AppendEvent(dst, ev), start)
	if b, ok := e.Text.(Binary); ok && b.IsBinary(ev) {
		if len(dst) == start {
			return append(dst, headBinary, 0)
		}
		dst[start] = headBinary
	}
	return dst
}

// AppendPing appends the heartbeat of the dialect, or else an empty ping.
func (e Encoder) AppendPing(dst []byte) []byte {
	start := len(dst)
	if e.Text != nil {
		dst = slices.Grow(dst, mediumHeader)[:start+mediumHeader]
		if dst = seal(e.Text.AppendPing(dst), start); len(dst) > start {
			return dst
		}
	}
	return append(dst, headPing, 0)
}

// betweenTexts is what a dialect puts between several messages about the end. JSON does not have it.
const betweenTexts = 0x1E

// AppendClose appends what the dialect says about the end, if anything, and a close frame. Text
// beyond what fits is cut off.
func (e Encoder) AppendClose(dst []byte, r hub.Reason) []byte {
	if e.Text != nil {
		for text := range bytes.SplitSeq(e.Text.AppendClose(nil, r), []byte{betweenTexts}) {
			start := len(dst)
			dst = seal(append(slices.Grow(dst, mediumHeader)[:start+mediumHeader], text...), start)
		}
		if c, ok := e.Text.(Closer); ok {
			r = c.CloseReason(r)
		}
	}
	text := cutText(r.Text, maxCloseText)
	dst = append(dst, headClose, byte(2+len(text)))
	dst = binary.BigEndian.AppendUint16(dst, wireCode(r.Code))
	return append(dst, text...)
}

// seal writes the header of a text frame in front of the payload, which starts mediumHeader
// bytes after start. The size of the header depends on the length of the payload. Short and
// very long payloads are moved; those in between, the usual ones, stay where they are.
func seal(dst []byte, start int) []byte {
	body := start + mediumHeader
	n := len(dst) - body
	switch {
	case n == 0:
		return dst[:start] // the dialect does not send this event
	case n <= maxControl:
		copy(dst[start+2:], dst[body:])
		dst[start], dst[start+1] = headText, byte(n)
		return dst[:start+2+n]
	case n <= 0xFFFF:
		dst[start], dst[start+1] = headText, 126
		binary.BigEndian.PutUint16(dst[start+2:], uint16(n))
		return dst
	}
	dst = append(dst, make([]byte, largeHeader-mediumHeader)...)
	copy(dst[start+largeHeader:], dst[body:body+n])
	dst[start], dst[start+1] = headText, 127
	binary.BigEndian.PutUint64(dst[start+2:], uint64(n))
	return dst
}

// headerOf returns the length of the header of a frame that seal has made.
func headerOf(frame []byte) int {
	switch frame[1] {
	case 126:
		return mediumHeader
	case 127:
		return largeHeader
	}
	return 2
}

// Cut takes the first of some frames that an [Encoder] without compression has made.
func Cut(frames []byte) (f Frame, rest []byte) {
	first, rest := cutFrame(frames)
	return Frame{Payload: first[headerOf(first):], Text: first[0] == headText, Binary: first[0] == headBinary, Close: first[0] == headClose}, rest
}

// Frame is a frame that an [Encoder] has made, for a transport that has other frames. At most one
// of Text, Binary and Close is true.
type Frame struct {
	Payload             []byte
	Text, Binary, Close bool
}

// cutFrame returns the first of some frames that an Encoder has made, and the others.
func cutFrame(frames []byte) (first, rest []byte) {
	n, size := headerOf(frames), uint64(frames[1])
	switch n {
	case mediumHeader:
		size = uint64(binary.BigEndian.Uint16(frames[2:]))
	case largeHeader:
		size = binary.BigEndian.Uint64(frames[2:])
	}
	end := uint64(n) + size
	return frames[:end:end], frames[end:]
}

// appendControl appends a control frame; payload has at most maxControl bytes.
func appendControl(dst []byte, head byte, payload string) []byte {
	dst = append(dst, head, byte(len(payload)))
	return append(dst, payload...)
}

// wireCode returns a code that may be in a close frame: code if it may, else 1011.
func wireCode(code uint16) uint16 {
	if mayBeSent(code) {
		return code
	}
	return protocol.ReasonInternal.Code
}

// mayBeSent reports whether a code may be in a close frame. 1004, 1005, 1006 and 1015 are for
// APIs and logs only. Peers treat them, and all codes outside of the ranges of RFC 6455,
// section 7.4, as a broken frame.
func mayBeSent(code uint16) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// cutText shortens s to at most n bytes without cutting a character in two.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
