package conformance

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// envelope is a frame of the server.
type envelope struct {
	Type      string
	ID        json.RawMessage
	Timestamp int64
	Payload   object
	text      string
}

// object is a payload.
type object map[string]any

func decode(text []byte) (e envelope) {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&e); err != nil || d.More() {
		fail("the server sent %q, which is not one envelope: %v", text, err)
	}
	e.text = string(text)
	return e
}

// String returns the frame as it was, shortened.
func (e envelope) String() string {
	if len(e.text) > 300 {
		return e.text[:300] + " …"
	}
	return e.text
}

func (e envelope) has(field string) bool { _, ok := e.Payload[field]; return ok }

// list returns a field that has to be a list of objects.
func (e envelope) list(field string) (all []object) {
	values, _ := e.Payload[field].([]any)
	for _, v := range values {
		o, ok := v.(map[string]any)
		if !ok {
			fail("%s has something else than objects in %q", e, field)
		}
		all = append(all, o)
	}
	return all
}

// want checks fields, given as pairs of name and value. Numbers are float64.
func (e envelope) want(pairs ...any) envelope {
	if field, ok := e.Payload.differs(pairs...); !ok {
		fail("%s does not have %s", e, field)
	}
	return e
}

// without checks that fields are missing.
func (e envelope) without(fields ...string) envelope {
	for _, f := range fields {
		if e.has(f) {
			fail("%s has the field %q", e, f)
		}
	}
	return e
}

// differs returns the first of the pairs that the object does not have, and whether it has all.
func (o object) differs(pairs ...any) (field string, same bool) {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, want := pairs[i].(string), plain(pairs[i+1])
		if got, ok := o[name]; !ok || !reflect.DeepEqual(got, want) {
			text, _ := json.Marshal(want)
			return name + ": " + string(text), false
		}
	}
	return "", true
}

// plain returns a value as the decoder of JSON would make it.
func plain(v any) (p any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		panic(err)
	}
	return p
}

// position returns what a client sends as recover or since.
func (o object) position() object {
	p := object{"epoch": o["epoch"], "offset": o["offset"]}
	if a, ok := o["anchor"]; ok {
		p["anchor"] = a
	}
	return p
}

// offset returns a field that has to be a number.
func (o object) number(field string) float64 {
	n, ok := o[field].(float64)
	if !ok {
		fail("%q is %v, not a number", field, o[field])
	}
	return n
}
