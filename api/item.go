package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// members are the members of a JSON object. Their names are compared exactly, and
// none may be left over, so that a misspelled one is noticed and not ignored.
type members map[string]json.RawMessage

// decodeMembers reads an object that has a content and no other members than these.
func decodeMembers(text []byte, names ...string) (members, *protocol.Error) {
	var m members
	if err := json.Unmarshal(text, &m); err != nil || m == nil {
		return nil, protocol.Errorf(protocol.InvalidMessage, "not a JSON object with the members %s", strings.Join(names, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(names, name) {
			return nil, protocol.Errorf(protocol.InvalidMessage, "unknown member %s; there are %s", protocol.Quote(name), strings.Join(names, ", "))
		}
	}
	if _, ok := m["content"]; !ok {
		return nil, protocol.Errorf(protocol.InvalidMessage, "the member \"content\" is missing")
	}
	return m, nil
}

// text gives a member that is a string; empty when it is not there.
func (m members) text(name string) (s string, e *protocol.Error) {
	raw, ok := m[name]
	if !ok {
		return "", nil
	}
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", protocol.Errorf(protocol.InvalidMessage, "the member %q must be a string", name)
	}
	return s, nil
}

// message reads what one message consists of, but for its channel.
func (m members) message() (p protocol.Publish, e *protocol.Error) {
	if p.Content, e = protocol.DecodeContent(m["content"]); e != nil {
		return p, e
	}
	if p.Event, e = m.text("event"); e != nil {
		return p, e
	}
	if e = protocol.ValidEvent(p.Event); e != nil {
		return p, e
	}
	if p.Key, e = m.text("id"); e != nil || p.Key == "" {
		return p, e
	}
	return p, protocol.ValidKey(p.Key)
}

// validJSON tells broken JSON from JSON of another shape.
func validJSON(body []byte) *protocol.Error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return protocol.Errorf(protocol.InvalidJSON, "the body is not valid JSON in UTF-8")
	}
	return nil
}

// quote makes a JSON string of a raw content.
func quote(raw []byte) (json.RawMessage, *protocol.Error) {
	if !utf8.Valid(raw) {
		return nil, protocol.Errorf(protocol.InvalidMessage, "content that is not JSON must be text in UTF-8")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(string(raw)); err != nil {
		return nil, protocol.AsError(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
