package engineio

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/ws"
)

const (
	// separator stands between the packets of a poll. JSON can not contain it.
	separator = 0x1e
	// binaryMark stands before a binary message in base64.
	binaryMark = 'b'
)

// appendPacket appends a packet to the answer of a poll.
func appendPacket(dst []byte, packet ...byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, separator)
	}
	return append(dst, packet...)
}

// appendFrames appends frames of WebSocket, which the hub has queued, as packets. The open packet
// is left out, because the answer to the handshake was another one. So is the end, which has a poll
// of its own, and a text with the separator in it, which would be several packets.
func appendFrames(dst, frames []byte) []byte {
	for len(frames) > 0 {
		var f ws.Frame
		f, frames = ws.Cut(frames)
		switch {
		case f.Binary:
			dst = appendPacket(dst, binaryMark)
			dst = base64.StdEncoding.AppendEncode(dst, f.Payload)
		case f.Text && !hasOpen(f) && bytes.IndexByte(f.Payload, separator) < 0:
			dst = appendPacket(dst, f.Payload...)
		}
	}
	return dst
}

func hasOpen(f ws.Frame) bool { return len(f.Payload) > 0 && f.Payload[0] == packetOpen }

// isOpen reports whether frames are the open packet alone.
func isOpen(frames []byte) bool {
	f, rest := ws.Cut(frames)
	return f.Text && hasOpen(f) && len(rest) == 0
}

// isEnd reports whether frames end with the end of the connection.
func isEnd(frames []byte) (end bool) {
	for len(frames) > 0 {
		var f ws.Frame
		f, frames = ws.Cut(frames)
		end = f.Close
	}
	return end
}

// packet is one that a client has sent by a POST.
type packet struct {
	data   []byte // with the type, unless binary
	binary bool
}

// cutPacket takes the first packet of a body. It returns false for one that is none. A body ends
// without a separator.
func cutPacket(body []byte) (p packet, rest []byte, more, ok bool) {
	data, rest, more := bytes.Cut(body, []byte{separator})
	if len(data) == 0 {
		return packet{}, rest, more, false
	}
	if data[0] != binaryMark {
		return packet{data: data}, rest, more, utf8.Valid(data)
	}
	blob := make([]byte, base64.StdEncoding.DecodedLen(len(data)-1))
	n, err := base64.StdEncoding.Strict().Decode(blob, data[1:])
	folded := bytes.ContainsAny(data, "\r\n") // which the decoder leaves out
	return packet{blob[:n], true}, rest, more, err == nil && !folded
}
