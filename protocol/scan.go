package protocol

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects may be nested in a frame. The envelope counts.
const MaxDepth = 64

// scanner checks JSON text (RFC 8259) in one pass, and allocates nothing. encoding/json is not
// used for frames: it takes `Type` for `type`, uses the last of two equal keys, and accepts
// broken UTF-8. Another reader of the same frame could understand something else.
type scanner struct {
	text []byte
	pos  int
	// depth is how many arrays and objects are open.
	depth int
	// spaced is the end of the last white space outside of strings; 0 for none.
	spaced int
}

// scan checks that text is one JSON value.
func scan(text []byte) (scanner, *Error) {
	s := scanner{text: text}
	if err := checkUTF8(text); err != nil {
		return s, err
	}
	s.space()
	if err := s.value(); err != nil {
		return s, err
	}
	return s, s.end()
}

// end checks that nothing but white space is left.
func (s *scanner) end() *Error {
	if s.space(); s.pos < len(s.text) {
		return s.broken("nothing may follow the end of the JSON text")
	}
	return nil
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
			s.spaced = s.pos
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end. No JSON has a 0 outside of strings.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) value() *Error {
	switch c := s.peek(); {
	case c == '"':
		return s.string()
	case c == '{' || c == '[':
		return s.nested(c, nil)
	case c == '-' || isDigit(c):
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.broken("expected a value")
}

// nested reads an object or array that begins with c. The members of an object are added to
// found, which may be nil.
func (s *scanner) nested(c byte, found *spans) *Error {
	if s.depth++; s.depth > MaxDepth {
		return Errorf(InvalidMessage, "nested more than %d levels deep at byte %d", MaxDepth, s.pos)
	}
	var err *Error
	if c == '{' {
		err = s.object(found)
	} else {
		err = s.array()
	}
	s.depth--
	return err
}

func (s *scanner) object(found *spans) *Error {
	s.pos++
	for first := true; ; first = false {
		m, err := s.name(first)
		if err != nil || m.keyEnd == 0 {
			return err
		}
		if err = s.value(); err != nil {
			return err
		}
		found.add(s.ended(m))
	}
}

// span is where a member of an object stands in the text. The key has its quotes. spaced says
// that the value has white space outside of strings.
type span struct {
	key, keyEnd, value, valueEnd int
	spaced                       bool
}

// name reads the name of the next member of an object, up to its value. The opening brace is
// already consumed. keyEnd is 0 if the object has ended.
func (s *scanner) name(first bool) (m span, err *Error) {
	s.space()
	if s.peek() == '}' {
		s.pos++
		return span{}, nil
	}
	if !first {
		if err = s.expect(',', "expected a comma or the end of the object"); err != nil {
			return span{}, err
		}
		s.space()
	}
	m.key = s.pos
	if s.peek() != '"' {
		return span{}, s.broken("expected a field name in double quotes")
	}
	if err = s.string(); err != nil {
		return span{}, err
	}
	m.keyEnd = s.pos
	s.space()
	if err = s.expect(':', "expected a colon after the field name"); err != nil {
		return span{}, err
	}
	s.space()
	m.value = s.pos
	return m, nil
}

// ended completes a member whose value was just read.
func (s *scanner) ended(m span) span {
	m.valueEnd, m.spaced = s.pos, s.spaced > m.value
	return m
}

func (s *scanner) array() *Error {
	s.pos++
	for first := true; ; first = false {
		s.space()
		if first && s.peek() == ']' {
			s.pos++
			return nil
		}
		if err := s.value(); err != nil {
			return err
		}
		s.space()
		if s.peek() == ']' {
			s.pos++
			return nil
		}
		if err := s.expect(',', "expected a comma or the end of the array"); err != nil {
			return err
		}
	}
}

func (s *scanner) string() *Error {
	s.pos++
	for {
		// This loop reads most of a frame. It finds the quote, the backslash and the
		// control characters.
		i := s.pos
		for i < len(s.text) && (s.text[i] >= utf8.RuneSelf || escapes[s.text[i]] == 0) {
			i++
		}
		s.pos = i
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case i < len(s.text):
			return s.broken("control characters in strings must be escaped")
		default:
			return s.broken("expected the closing quote of a string")
		}
	}
}

func (s *scanner) escape() *Error {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
		for range 4 {
			if _, ok := hexDigit(s.peek()); !ok {
				return s.broken("expected four hexadecimal digits")
			}
			s.pos++
		}
		return nil
	}
	return s.broken("no such escape in a string")
}

func (s *scanner) number() *Error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c = s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) digits() *Error {
	if !isDigit(s.peek()) {
		return s.broken("expected a digit")
	}
	for isDigit(s.peek()) {
		s.pos++
	}
	return nil
}

func (s *scanner) word(w string) *Error {
	if !bytes.HasPrefix(s.text[s.pos:], []byte(w)) {
		return s.broken("expected a value")
	}
	s.pos += len(w)
	return nil
}

func (s *scanner) expect(c byte, otherwise string) *Error {
	if s.peek() != c {
		return s.broken(otherwise)
	}
	s.pos++
	return nil
}

// broken returns an error with the place where the text is not JSON. It contains no part of the
// text.
func (s *scanner) broken(what string) *Error {
	if s.pos >= len(s.text) {
		return Errorf(InvalidJSON, "not valid JSON: it ends too early, at byte %d: %s", s.pos, what)
	}
	return Errorf(InvalidJSON, "not valid JSON at byte %d: %s", s.pos, what)
}

func checkUTF8(text []byte) *Error {
	if utf8.Valid(text) {
		return nil
	}
	at := 0
	for r, n := utf8.DecodeRune(text); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(text[at:]) {
		at += n
	}
	return Errorf(InvalidJSON, "not valid UTF-8 at byte %d", at)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// compact returns a copy of valid JSON on one line, without white space outside of strings.
func compact(text []byte, spaced bool) json.RawMessage {
	if !spaced {
		return bytes.Clone(text)
	}
	b := bytes.NewBuffer(make([]byte, 0, len(text)))
	if err := json.Compact(b, text); err != nil {
		panic("protocol: compacting text that was checked: " + err.Error())
	}
	// The buffer may be much larger than the result, and rooms keep the result.
	return bytes.Clone(b.Bytes())
}
