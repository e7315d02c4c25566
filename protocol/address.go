package protocol

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// maxAddress bounds each field of an address, in bytes: as long as a user's id may be.
const maxAddress = 255

// DecodeAddress reads the addressee of a message from `to`.
func DecodeAddress(text json.RawMessage) (*hub.Address, *Error) {
	a := new(hub.Address)
	m := walk(text, "to")
	for m.next() {
		switch string(m.name) {
		case "user":
			a.User = m.somebody()
		case "connection":
			a.Connection = m.somebody()
		default:
			// With a misspelled "connection", the message would go to all connections of
			// the user.
			m.fail("is unknown; there are \"user\" and \"connection\"")
		}
	}
	if m.err == nil && *a == (hub.Address{}) {
		m.err = Errorf(InvalidMessage, "to: there is neither \"user\" nor \"connection\"")
	}
	return a, m.err
}

// somebody reads the current value as the id of a user or a connection.
func (m *members) somebody() string {
	id := m.text()
	if id == "" || len(id) > maxAddress || strings.ContainsFunc(id, unicode.IsControl) {
		m.fail("must have 1 to %d bytes without control characters", maxAddress)
	}
	return id
}

// appendDirect appends the addressee and the sender of a direct message.
func appendDirect(dst []byte, d *hub.Direct) []byte {
	dst = appendAddress(dst, "to", d.To)
	if d.From != (hub.Address{}) {
		dst = appendAddress(dst, "from", d.From)
	}
	return dst
}

func appendAddress(dst []byte, key string, a hub.Address) []byte {
	dst = append(appendKey(dst, key), '{')
	if a.User != "" {
		dst = appendStringField(dst, "user", a.User)
	}
	if a.Connection != "" {
		dst = appendStringField(dst, "connection", a.Connection)
	}
	return append(dst, '}')
}
