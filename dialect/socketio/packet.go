package socketio

import (
	"fmt"
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

// brokenPacket says why a client does not speak the protocol. Its connection is closed, and both the log and the
// close frame have the text. So it is short, and has nothing that the client has sent but numbers.
type brokenPacket string

func (b brokenPacket) Error() string { return string(b) }

const (
	brokenEmpty       brokenPacket = "an empty packet"
	brokenType        brokenPacket = "a packet of an unknown type"
	brokenAttachments brokenPacket = "a binary packet without the number of its attachments"
	brokenNamespace   brokenPacket = "a packet whose namespace is too long or does not print"
	brokenID          brokenPacket = "a packet whose id has more than 16 digits"
	brokenJSON        brokenPacket = "a packet whose data is no JSON, or is nested too deeply"
	brokenConnect     brokenPacket = "a CONNECT with an id, or whose auth is no object"
	brokenDisconnect  brokenPacket = "a DISCONNECT with an id or data"
	brokenEvent       brokenPacket = "an event that is no array with a name in front"
	brokenReserved    brokenPacket = "an event with a name that the libraries keep to themselves"
	brokenAck         brokenPacket = "an acknowledgement without an id or arguments"
	brokenError       brokenPacket = "a CONNECT_ERROR, which only servers send"
)

// tooManyAttachments is the most common one: the reference parser of the client has no limit.
func tooManyAttachments(n int) brokenPacket {
	return brokenPacket(fmt.Sprintf("a packet with %d attachments, which is more than %d", n, maxAttachments))
}

// parsePacket reads
//
//	<kind>[<attachments>-][<namespace>,][<id>][<JSON>]
//
// and checks the rules about what each kind may have.
func parsePacket(frame []byte) (*packet, error) {
	if len(frame) == 0 {
		return nil, brokenEmpty
	}
	if frame[0] < kindConnect || frame[0] > kindBinaryAck {
		return nil, brokenType
	}
	p, rest := &packet{kind: frame[0]}, frame[1:]
	var ok bool
	if p.binary() {
		if p.attachments, rest, ok = parseAttachments(rest); !ok {
			return nil, brokenAttachments
		}
		if p.attachments > maxAttachments {
			return nil, tooManyAttachments(p.attachments)
		}
	}
	if p.namespace, rest, ok = parseNamespace(rest); !ok {
		return nil, brokenNamespace
	}
	digits := countDigits(rest)
	if digits > maxAckID {
		return nil, brokenID
	}
	p.id, rest = string(rest[:digits]), rest[digits:]
	if len(rest) > 0 {
		text, e := protocol.DecodeContent(rest)
		if e != nil {
			return nil, brokenJSON
		}
		p.payload = text
	}
	if err := p.check(); err != nil {
		return nil, err
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
	return n, text[digits+1:], true
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

// check returns an error if clients may not send such a packet.
func (p *packet) check() error {
	first := byte(0)
	if len(p.payload) > 0 {
		first = p.payload[0]
	}
	var ok bool
	why := brokenError // only servers reject
	switch p.kind {
	case kindConnect:
		ok, why = p.id == "" && (first == 0 || first == '{'), brokenConnect
	case kindDisconnect:
		ok, why = p.id == "" && first == 0, brokenDisconnect
	case kindEvent, kindBinaryEvent:
		if why = brokenEvent; first == '[' {
			var name string
			if name, ok = eventName(elements(p.payload)); isReserved(name) {
				ok, why = false, brokenReserved
			}
		}
	case kindAck, kindBinaryAck:
		ok, why = first == '[' && p.id != "", brokenAck
	}
	if !ok {
		return why
	}
	return nil
}

// isReserved reports whether the libraries use the name of an event themselves.
func isReserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
