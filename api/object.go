package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// object holds the members of a JSON object. Their names are compared exactly, and
// none may be left over, so that a misspelled one is noticed and not ignored.
type object map[string]json.RawMessage

// decodeObject reads an object with no other members than these, each at most once: two
// readers may take different ones of a repeated member for it.
func decodeObject(text []byte, names ...string) (object, *protocol.Error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, errNoObject(names)
	}
	m := make(object, len(names))
	for d.More() {
		if e := m.decodeMember(d, names); e != nil {
			return nil, e
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, errNoObject(names)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoObject(names)
	}
	return m, nil
}

func errNoObject(names []string) *protocol.Error {
	return protocol.Errorf(protocol.InvalidMessage, "not a JSON object with the members %s", strings.Join(names, ", "))
}

// decodeMember reads the next member.
func (m object) decodeMember(d *json.Decoder, names []string) *protocol.Error {
	token, err := d.Token()
	name, _ := token.(string)
	switch {
	case err != nil:
		return errNoObject(names)
	case !slices.Contains(names, name):
		return protocol.Errorf(protocol.InvalidMessage, "unknown member %s; there are %s", protocol.Quote(name), strings.Join(names, ", "))
	case m[name] != nil:
		return protocol.Errorf(protocol.InvalidMessage, "the member %q is given twice", name)
	}
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return errNoObject(names)
	}
	m[name] = value
	return nil
}

// text gives a member that is a string; empty when it is not there.
func (m object) text(name string) (s string, e *protocol.Error) {
	raw, ok := m[name]
	if !ok {
		return "", nil
	}
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", protocol.Errorf(protocol.InvalidMessage, "the member %q must be a string", name)
	}
	return s, nil
}

// flag gives a member that is a boolean; false when it is not there.
func (m object) flag(name string) (is bool, e *protocol.Error) {
	raw, ok := m[name]
	if ok && (raw[0] == 'n' || json.Unmarshal(raw, &is) != nil) {
		return false, protocol.Errorf(protocol.InvalidMessage, "the member %q must be true or false", name)
	}
	return is, nil
}

// integer gives a member that is an integer; 0 when it is not there.
func (m object) integer(name string) (n int64, e *protocol.Error) {
	raw, ok := m[name]
	if ok && (raw[0] == 'n' || json.Unmarshal(raw, &n) != nil) {
		return 0, protocol.Errorf(protocol.InvalidMessage, "the member %q must be an integer", name)
	}
	return n, nil
}

var errNoJSON = protocol.Errorf(protocol.InvalidJSON, "the body is not valid JSON in UTF-8")

// validJSON tells broken JSON from JSON of another shape.
func validJSON(body []byte) *protocol.Error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return errNoJSON
	}
	return nil
}
