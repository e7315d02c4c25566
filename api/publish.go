package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const keyHeader = "Idempotency-Key"

// published is the result of one message in one channel. In a room without history it has
// no position.
type published struct {
	// Channel is set in the answer to a batch.
	Channel string `json:"channel,omitempty"`
	Epoch   string `json:"epoch,omitempty"`
	Offset  uint64 `json:"offset,omitempty"`
	Anchor  string `json:"anchor,omitempty"`
	// Duplicate: the key was used before, and nothing was sent this time.
	Duplicate bool `json:"duplicate,omitempty"`
	// Degraded: only the connections of this node were reached.
	Degraded bool `json:"degraded,omitempty"`
	// Error: nothing was sent.
	Error *problem.Details `json:"error,omitempty"`
}

func outcome(p hub.Published) published {
	out := published{
		Epoch: p.Position.Epoch, Offset: p.Position.Offset,
		Duplicate: p.Duplicate, Degraded: p.Degraded,
	}
	if p.Position.Anchor != 0 {
		out.Anchor = string(protocol.AppendAnchor(nil, p.Position.Anchor))
	}
	return out
}

// publish is POST /channels/{channel}/messages.
func publish(c *call) *protocol.Error {
	// Registry.Publish decides again.
	e := c.enter(func(by session.Caller) *protocol.Error { return c.o.Registry.May(by, policy.Publish, c.name) })
	if e != nil {
		return e
	}
	validate, e := c.validate()
	if e != nil {
		return e
	}
	media, ok := c.mediaType()
	if !ok {
		return nil
	}
	body, e := c.read(c.bodyLimit())
	if e != nil {
		return e
	}
	p, checked, e := decodeMessage(media, body)
	if e == nil {
		p.Key, e = oneKey(p.Key, c.r.Header.Values(keyHeader))
	}
	if e != nil {
		return e
	}
	p.Channel = c.name
	done, e := c.o.Registry.Publishing.Publish(c.patient(), c.publisher(validate || checked), p)
	if e != nil {
		return e
	}
	return c.replyValue(outcome(done))
}

// validate reads the parameter by which the app has its content checked.
func (c *call) validate() (bool, *protocol.Error) {
	return flag(c.r.URL.Query(), "validate", false)
}

// publisher returns the caller, with validate set as the request says.
func (c *call) publisher(validate bool) session.Caller {
	caller := c.o.Caller
	caller.Validate = validate
	return caller
}

// decodeMessage decodes a message. JSON is an object with the members of a message. Any
// other text is the content itself.
func decodeMessage(media string, body []byte) (p protocol.Publish, validate bool, e *protocol.Error) {
	switch {
	case media == "" && len(body) == 0:
		return p, false, protocol.Errorf(protocol.InvalidMessage, "the body is empty; send {\"content\": ...} as application/json, or a text as text/plain")
	case media != jsonType:
		p.Content, e = quote(body)
		return p, false, e
	}
	if e = validJSON(body); e != nil {
		return p, false, e
	}
	m, e := decodeMessageObject(body)
	if e != nil {
		return p, false, e
	}
	return m.message()
}

// oneKey returns the idempotency key of the body or of the header. The header may be a
// quoted string, as in the draft that defines it. It is an error if the two differ.
func oneKey(key string, headers []string) (string, *protocol.Error) {
	switch {
	case len(headers) > 1:
		return "", protocol.Errorf(protocol.InvalidMessage, "the header %s is given more than once", keyHeader)
	case len(headers) == 0 || headers[0] == "":
		return key, nil
	}
	header := headers[0]
	if len(header) >= 2 && strings.HasPrefix(header, `"`) && strings.HasSuffix(header, `"`) {
		header = header[1 : len(header)-1]
	}
	if key != "" && key != header {
		return "", protocol.Errorf(protocol.InvalidMessage, "the header %s and the field \"key\" differ; send the key in one place", keyHeader)
	}
	return header, protocol.ValidKey(header)
}

// decodeMessageObject decodes an object with the members of a message and those named in
// beside. The content is required. [object.message] says what the members mean.
func decodeMessageObject(text []byte, beside ...string) (object, *protocol.Error) {
	m, e := decodeObject(text, append(beside, "content", "event", "key", "tags", "to", "validate", "volatile", "secret", "id")...)
	if e != nil {
		return nil, e
	}
	if _, ok := m["content"]; !ok {
		return nil, protocol.Errorf(protocol.InvalidMessage, "the field \"content\" is missing")
	}
	return m, nil
}

// message returns the message, without its channel, and whether its content must be checked
// even if it comes from the app.
func (m object) message() (p protocol.Publish, validate bool, e *protocol.Error) {
	if p.Content, e = protocol.DecodeContent(m["content"]); e != nil {
		return p, false, e
	}
	if p.Event, e = m.text("event"); e != nil {
		return p, false, e
	}
	if e = protocol.ValidEvent(p.Event); e != nil {
		return p, false, e
	}
	if validate, e = m.flag("validate"); e != nil {
		return p, false, e
	}
	if p.Volatile, e = m.flag("volatile"); e != nil {
		return p, false, e
	}
	if p.Secret, e = m.text("secret"); e != nil {
		return p, false, e
	}
	if to, ok := m["to"]; ok {
		if p.To, e = protocol.DecodeAddress(to); e != nil {
			return p, false, e
		}
	}
	if tags, ok := m["tags"]; ok {
		if p.Tags, e = protocol.DecodeTags(tags); e != nil {
			return p, false, e
		}
	}
	p.Key, e = m.key()
	return p, validate, e
}

// key returns the idempotency key: the member "key", or "id", its old name. It is empty if
// there is none.
func (m object) key() (string, *protocol.Error) {
	key, e := m.text("key")
	if e != nil {
		return "", e
	}
	old, e := m.text("id")
	switch {
	case e != nil:
		return "", e
	case m["key"] == nil:
		key = old
	case m["id"] != nil && key != old:
		return "", protocol.Errorf(protocol.InvalidMessage, "the fields \"key\" and \"id\" differ; send the idempotency key as \"key\" alone")
	}
	if key == "" {
		return "", nil
	}
	return key, protocol.ValidKey(key)
}

// quote returns a raw content as a JSON string.
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
