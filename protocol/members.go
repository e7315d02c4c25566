package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// members reads the members of one JSON object, one after the other:
//
//	m := walk(payload, "payload")
//	for m.next() {
//		switch string(m.name) {
//		case "channel":
//			p.Channel = m.text()
//		}
//	}
//	m.require("channel")
//
// Members that the caller does not read are checked for syntax and ignored. Names are compared
// exactly, after their escapes were resolved. To read a member that appears twice is an error.
// err keeps the first error. The walk goes on unless the syntax is broken, so that the id of a
// bad command is found.
type members struct {
	in scanner
	// where names the object in messages.
	where string

	// The current member: its name without quotes and escapes, its value, and
	// whether that holds white space outside of strings.
	name   []byte
	value  []byte
	spaced bool

	// found are the members, if they were found before. Then nothing is scanned. A pointer in
	// its place would move each command to the heap.
	found spans
	at    int // the next one of them

	first, done bool
	err         *Error
	// unreadable reports that err is about the text itself. The members so far mean nothing
	// then.
	unreadable bool

	// taken are the names that were read. The array has a place for each field of any
	// payload, so that walking allocates nothing.
	taken  [maxFields][]byte
	nTaken int
}

const maxFields = 8

// walk starts to read an object. An empty text counts as an empty object, because a payload may
// be omitted.
func walk(text []byte, where string) members {
	m := members{in: scanner{text: text}, where: where, first: true}
	if m.done = len(text) == 0; !m.done {
		m.begin()
	}
	return m
}

// next goes to the next member and reports whether there is one.
func (m *members) next() bool {
	return m.nextRecording(nil)
}

// nextRecording is next. It records the members of a member that is called payload.
func (m *members) nextRecording(payload *spans) bool {
	switch {
	case m.done:
		return false
	case m.found.recorded:
		return m.nextFound()
	}
	at, err := m.in.name(m.first)
	m.first = false
	if err == nil && at.keyEnd == 0 {
		m.done = true
		err = m.in.end()
	} else if err == nil {
		m.name = unquoted(m.in.text[at.key:at.keyEnd])
		err = m.scanValue(payload)
	}
	if err != nil {
		m.stop(err)
	}
	if !m.done {
		m.use(m.in.ended(at))
	}
	return !m.done
}

func (m *members) scanValue(payload *spans) *Error {
	if payload != nil && string(m.name) == "payload" {
		return m.in.payload(payload)
	}
	return m.in.value()
}

// nextFound is next for members that were found before.
func (m *members) nextFound() bool {
	if m.done = m.at == m.found.n; m.done {
		return false
	}
	at := m.found.at[m.at]
	m.at++
	m.name = unquoted(m.in.text[at.key:at.keyEnd])
	m.use(at)
	return true
}

// use makes a member the current one.
func (m *members) use(at span) {
	m.value, m.spaced = m.in.text[at.value:at.valueEnd], at.spaced
}

// begin reads the opening brace.
func (m *members) begin() {
	if err := checkUTF8(m.in.text); err != nil {
		m.stop(err)
		return
	}
	m.in.space()
	if m.in.peek() == '{' {
		m.in.pos++
		m.in.depth++
		return
	}
	if _, err := scan(m.in.text); err != nil {
		m.stop(err)
		return
	}
	m.stop(Errorf(InvalidMessage, "%s must be a JSON object", m.where))
}

// stop ends the walk with an error that replaces those about single members.
func (m *members) stop(err *Error) {
	m.err, m.done, m.unreadable = err, true, true
}

// take returns the current value and records that the member was read. It is called for known
// names only.
func (m *members) take() []byte {
	if m.has(m.name) {
		m.fail("is given twice")
		return m.value
	}
	m.taken[m.nTaken] = m.name
	m.nTaken++
	return m.value
}

func (m *members) has(name []byte) bool {
	for _, t := range m.taken[:m.nTaken] {
		if bytes.Equal(t, name) {
			return true
		}
	}
	return false
}

// require records an error if a member with one of the names was not read.
func (m *members) require(names ...string) {
	for _, name := range names {
		if !m.has([]byte(name)) {
			m.keep(Errorf(InvalidMessage, "%s: %q is missing", m.where, name))
		}
	}
}

// fail records an error about the current member.
func (m *members) fail(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	m.keep(Errorf(InvalidMessage, "%s: %q %s", m.where, m.name, what))
}

// check records the error that valid returns for a text.
func (m *members) check(valid func(string) *Error, text string) {
	if m.err == nil {
		m.err = valid(text)
	}
}

// keep records an error, unless there is one already.
func (m *members) keep(err *Error) {
	if m.err == nil {
		m.err = err
	}
}

// text reads the current value as a string.
func (m *members) text() string {
	v := m.take()
	if v[0] != '"' {
		m.fail("must be a string")
		return ""
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	s, ok := unquote(v)
	if !ok {
		m.fail("holds half of a surrogate pair")
	}
	return s
}

// integer reads the current value as an integer from 0 to top.
func (m *members) integer(top uint64) uint64 {
	n, ok := parseInteger(string(m.take()), top)
	if !ok {
		m.fail("must be an integer from 0 to %d", top)
	}
	return n
}

// boolean reads the current value as true or false.
func (m *members) boolean() bool {
	switch string(m.take()) {
	case "true":
		return true
	case "false":
		return false
	}
	m.fail("must be true or false")
	return false
}

// object reads the current value as an object.
func (m *members) object() json.RawMessage {
	v := m.take()
	if v[0] != '{' {
		m.fail("must be an object")
		return nil
	}
	return v
}

// content reads the current value as a compact copy.
func (m *members) content() json.RawMessage {
	return compact(m.take(), m.spaced)
}
