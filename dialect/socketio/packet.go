package socketio

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// The kinds of packets, by their first character.
const (
	kindConnect      = '0'
	kindDisconnect   = '1'
	kindEvent        = '2'
	kindAck          = '3'
	kindConnectError = '4'
	kindBinaryEvent  = '5'
	kindBinaryAck    = '6'
)

const (
	// maxAttachments is how many binary attachments a packet has at most, as in the reference parser.
	maxAttachments = 10
	// maxNamespace is the greatest length of the name of a namespace, in bytes.
	maxNamespace = 128
	// maxAckID is the greatest number of digits of the id of an acknowledgement.
	maxAckID = 16
)

// root is the namespace that every client knows. Packets do not name it.
const root = "/"

// packet is one packet of a client.
type packet struct {
	kind        byte
	attachments int
	namespace   string
	id          string // decimal digits; empty if the client wants no acknowledgement
	payload     []byte // compact JSON, a copy; nil for none
}

// errPacket means that a client does not speak the protocol. Its connection is closed.
var errPacket = errors.New("socketio: not a packet of the protocol")

// parsePacket reads
//
//	<kind>[<attachments>-][<namespace>,][<id>][<JSON>]
//
// and checks the rules about what each kind may have.
func parsePacket(frame []byte) (*packet, error) {
	if len(frame) == 0 || frame[0] < kindConnect || frame[0] > kindBinaryAck {
		return nil, errPacket
	}
	p, rest := &packet{kind: frame[0]}, frame[1:]
	var ok bool
	if p.binary() {
		if p.attachments, rest, ok = parseAttachments(rest); !ok {
			return nil, errPacket
		}
	}
	if p.namespace, rest, ok = parseNamespace(rest); !ok {
		return nil, errPacket
	}
	digits := countDigits(rest)
	if digits > maxAckID {
		return nil, errPacket
	}
	p.id, rest = string(rest[:digits]), rest[digits:]
	if len(rest) > 0 {
		text, e := protocol.DecodeContent(rest)
		if e != nil {
			return nil, errPacket
		}
		p.payload = text
	}
	if !p.allowed() {
		return nil, errPacket
	}
	return p, nil
}

func (p *packet) binary() bool { return p.kind == kindBinaryEvent || p.kind == kindBinaryAck }

// parseAttachments reads the number of attachments and the dash behind it.
func parseAttachments(text []byte) (n int, rest []byte, ok bool) {
	digits := countDigits(text)
	if digits == 0 || digits > 2 || digits == len(text) || text[digits] != '-' {
		return 0, nil, false
	}
	for _, c := range text[:digits] {
		n = n*10 + int(c-'0')
	}
	return n, text[digits+1:], n <= maxAttachments
}

// parseNamespace reads the namespace and the comma behind it, if they are there.
func parseNamespace(text []byte) (name string, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '/' {
		return root, text, true
	}
	name, after, _ := strings.Cut(string(text), ",")
	if len(name) > maxNamespace || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return "", nil, false
	}
	return name, []byte(after), true
}

func countDigits(text []byte) (n int) {
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// allowed reports whether a client may send such a packet.
func (p *packet) allowed() bool {
	first := byte(0)
	if len(p.payload) > 0 {
		first = p.payload[0]
	}
	switch p.kind {
	case kindConnect:
		return p.id == "" && (first == 0 || first == '{')
	case kindDisconnect:
		return p.id == "" && first == 0
	case kindEvent, kindBinaryEvent:
		if first != '[' {
			return false
		}
		name, ok := eventName(elements(p.payload))
		return ok && !isReserved(name)
	case kindAck, kindBinaryAck:
		return first == '[' && p.id != ""
	}
	return false // only servers reject
}

// isReserved reports whether the libraries use the name of an event themselves.
func isReserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
