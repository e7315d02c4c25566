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

// object holds the members of a JSON object. Names are compared exactly.
type object map[string]json.RawMessage

// decodeObject decodes an object that has no other members than the named ones, each at
// most once. An unknown member is an error, so that a misspelled name is noticed. A
// repeated member is an error, because two readers may use different values.
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
	return protocol.Errorf(protocol.InvalidMessage, "this must be a JSON object; its fields may be %s", strings.Join(names, ", "))
}

// decodeMember decodes the next member.
func (m object) decodeMember(d *json.Decoder, names []string) *protocol.Error {
	token, err := d.Token()
	name, _ := token.(string)
	switch {
	case err != nil:
		return errNoObject(names)
	case !slices.Contains(names, name):
		return protocol.Errorf(protocol.InvalidMessage, "there is no field %s; the fields may be %s", protocol.Quote(name), strings.Join(names, ", "))
	case m[name] != nil:
		return protocol.Errorf(protocol.InvalidMessage, "the field %q is given twice", name)
	}
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return errNoObject(names)
	}
	m[name] = value
	return nil
}

// text returns a member that must be a string, or an empty string if there is none.
func (m object) text(name string) (s string, e *protocol.Error) {
	raw, ok := m[name]
	if !ok {
		return "", nil
	}
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", protocol.Errorf(protocol.InvalidMessage, "the field %q must be a string", name)
	}
	return s, nil
}

// flag returns a member that must be a boolean, or false if there is none.
func (m object) flag(name string) (is bool, e *protocol.Error) {
	raw, ok := m[name]
	if ok && (raw[0] == 'n' || json.Unmarshal(raw, &is) != nil) {
		return false, protocol.Errorf(protocol.InvalidMessage, "the field %q must be true or false", name)
	}
	return is, nil
}

// integer returns a member that must be an integer, or 0 if there is none.
func (m object) integer(name string) (n int64, e *protocol.Error) {
	raw, ok := m[name]
	if ok && (raw[0] == 'n' || json.Unmarshal(raw, &n) != nil) {
		return 0, protocol.Errorf(protocol.InvalidMessage, "the field %q must be an integer", name)
	}
	return n, nil
}

var errNoJSON = protocol.Errorf(protocol.InvalidJSON, "the body is not valid JSON in UTF-8")

// validJSON returns an error if a body is not JSON. It tells broken JSON from JSON of the
// wrong form.
func validJSON(body []byte) *protocol.Error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return errNoJSON
	}
	return nil
}
