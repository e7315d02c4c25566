package attacks

import (
	"encoding/binary"
	"strings"
	"testing"
)

// attackFrames break the rules of WebSocket framing, or of the protocol in it.
func attackFrames(w *world) (rows []attack) {
	for _, f := range []struct {
		name, expect string
		bytes        []byte
	}{
		{"a compressed frame (RSV1)", "closed 1002", frame(headText|0x40, "x")},
		{"RSV2 and RSV3", "closed 1002", frame(headText|0x30, "x")},
		{"a reserved opcode", "closed 1002", frame(0x83, "x")},
		{"no mask", "closed 1002", []byte{headText, 1, 'x'}},
		{"a fragmented ping", "closed 1002", frame(headPing&^0x80, "x")},
		{"a ping of 126 bytes", "closed 1002", frame(headPing, strings.Repeat("x", 126))},
		{"a continuation of nothing", "closed 1002", frame(0x80, "x")},
		{"a frame of 2^63 bytes", "closed 1002", binary.BigEndian.AppendUint64([]byte{headText, 0x80 | 127}, 1<<63)},
		{"a frame of 2^62 bytes", "closed 1009", append(binary.BigEndian.AppendUint64([]byte{headText, 0x80 | 127}, 1<<62), 0, 0, 0, 0)},
		{"a frame of 64 KiB and a byte", "closed 1009", frame(headText, strings.Repeat(" ", 64<<10+1))},
		{"a binary frame", "closed 1003", frame(headBinary, "{}")},
		{"a length in more bytes than it needs", "closed 1002", append(binary.BigEndian.AppendUint64([]byte{headText, 0x80 | 127}, 2), 0, 0, 0, 0, '{', '}')},
		{"a close frame of one byte", "closed 1002", frame(headClose, "x")},
		{"a close frame with code 1005", "closed 1002", frame(headClose, "\x03\xed")},
		{"10,000 empty fragments", "closed 1008", append(frame(0x01, ""), []byte(strings.Repeat(string(frame(0x00, "")), 10_000))...)},
		{"1,000 pings", "closed 1008", []byte(strings.Repeat(string(frame(headPing, "x")), 1000))},
		{"1,000 frames of no JSON", "closed 1008", []byte(strings.Repeat(string(frame(headText, "x")), 1000))},
		{"text that is not UTF-8", "closed 1007", frame(headText, "{\"type\":\"\xff\"}")},
		{"text that is not UTF-8, over two fragments", "closed 1007", append(frame(0x01, "{\"type\":\"\xce"), frame(0x80, "\xce\"}")...)},
		{"a close frame whose reason is not UTF-8", "closed 1007", frame(headClose, "\x03\xe8\xff")},
		{"nested 65 deep", "INVALID_MESSAGE", frame(headText, strings.Repeat(`{"a":`, 65))},
		{"nested 60,000 deep", "INVALID_MESSAGE", frame(headText, strings.Repeat("[", 60_000))},
		{"the type 5,000 times", "INVALID_MESSAGE", frame(headText, `{"type":"ping"`+strings.Repeat(`,"type":"ping"`, 4000)+`}`)},
		{"Type instead of type", "INVALID_MESSAGE", frame(headText, `{"Type":"ping"}`)},
		{"4,000 names beside the type", "pong", frame(headText, manyKeys(4000, `{"type":"ping"`))},
		{"half of a surrogate pair", "INVALID_MESSAGE", frame(headText, `{"type":"subscribe","payload":{"channel":"open:\ud800"}}`)},
		{"an id that is an object", "INVALID_MESSAGE", frame(headText, `{"type":"ping","id":{"a":1}}`)},
		{"an id of 65 bytes", "INVALID_MESSAGE", frame(headText, `{"type":"ping","id":"`+strings.Repeat("x", 65)+`"}`)},
		{"a command of the server", "UNKNOWN_TYPE", frame(headText, `{"type":"connected","payload":{"user":"admin"}}`)},
		{"a sender of its own choice", "ack", frame(headText, `{"type":"message","id":1,"sender":"admin","payload":{"channel":"open:1","content":1,"sender":"admin","timestamp":0,"offset":9}}`)},
	} {
		rows = append(rows, attack{f.name, f.expect, func(t *testing.T) string {
			c := w.site.connect(t)
			go func() { _, _ = c.conn.Write(f.bytes) }() // the end may come first
			if strings.HasPrefix(f.expect, "closed") {
				return c.fate()
			}
			ev, err := c.next()
			if err != nil {
				return err.Error()
			}
			return ev.outcome()
		}})
	}
	return append(append(rows, offers(w)...),
		attack{"a subscriber of 'a sender of its own choice'", "the connection is the sender", func(t *testing.T) string {
			c := w.site.connect(t)
			c.ask(t, "subscribe", `{"channel":"plain:1"}`)
			c.say(t, `{"type":"message","sender":"admin","payload":{"channel":"plain:1","content":1,"sender":"admin"}}`)
			if ev, err := c.next(); err != nil || ev.Payload.Sender != c.id {
				return ev.Payload.Sender
			}
			return "the connection is the sender"
		}})
}

// offers are extensions and subprotocols that are not spoken here.
func offers(w *world) (rows []attack) {
	for _, o := range []string{
		"Sec-WebSocket-Extensions: permessage-deflate",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15; server_no_context_takeover",
		"Sec-WebSocket-Extensions: x-webkit-deflate-frame, permessage-bzip2",
		"Sec-WebSocket-Protocol: chat, superchat",
	} {
		name, _, _ := strings.Cut(o, ":")
		rows = append(rows, attack{"offer of " + strings.TrimPrefix(o, name+": "), "declined", func(t *testing.T) string {
			a := w.site.send(t, request{"GET", "/rt", handshake(o), ""})
			if a.status != 101 || a.header.Get(name) != "" {
				return a.String() + " " + a.header.Get(name)
			}
			return "declined"
		}})
	}
	return rows
}
