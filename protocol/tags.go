package protocol

import (
	"encoding/json"
	"strconv"
)

const (
	// MaxTags is how many tags a message has at most. MaxTagName and MaxTagText bound a name
	// and a string, in bytes of JSON between the quotes.
	MaxTags    = 16
	MaxTagName = 64
	MaxTagText = 255
)

// DecodeTags reads the tags of a message: an object of at most 16 strings, numbers and booleans. It
// returns a compact copy, or nil if there are none.
func DecodeTags(text json.RawMessage) (json.RawMessage, *Error) {
	m := walk(text, "tags")
	var names [MaxTags]string
	for n := 0; m.next(); n++ {
		if n == MaxTags {
			return nil, Errorf(InvalidMessage, "tags: there are more than %d", MaxTags)
		}
		names[n] = string(m.name)
		m.tag(names[:n])
	}
	if m.err != nil {
		return nil, m.err
	}
	if names[0] == "" {
		return nil, nil // no name is empty
	}
	return compact(text, m.in.spaced > 0), nil
}

// tag checks the current member as a tag behind others.
func (m *members) tag(before []string) {
	switch name := string(m.name); {
	case name == "" || len(name) > MaxTagName:
		m.fail("must have a name of 1 to %d bytes", MaxTagName)
		return
	default:
		for _, b := range before {
			if b == name {
				m.fail("is given twice")
			}
		}
	}
	switch c := m.value[0]; {
	case c == '"':
		if len(m.value)-2 > MaxTagText {
			m.fail("must have at most %d bytes", MaxTagText)
		}
	case c == 't' || c == 'f':
	case c == '-' || isDigit(c):
		if _, err := strconv.ParseFloat(string(m.value), 64); err != nil {
			m.fail("is a number that is too large")
		}
	default:
		m.fail("must be a string, a number or a boolean")
	}
}
