package policy

import (
	"bytes"
	"strings"
)

// token is a bracket, a string or a scalar of a JSON text.
type token struct {
	// kind is the bracket itself, '"' for a string, '0' for a number, or the first letter
	// of true, false and null.
	kind byte
	// key reports whether a string is the name of a member.
	key bool
	// start and end are the place in the text, including quotes.
	start, end int
}

// tokens reads a JSON text that was checked before, so that it has no errors. It also ends
// in any other text.
type tokens struct {
	text []byte
	pos  int
}

// next returns the next token. ok is false at the end.
func (s *tokens) next() (t token, ok bool) {
	for s.pos < len(s.text) && isBetween(s.text[s.pos]) {
		s.pos++
	}
	if s.pos == len(s.text) {
		return token{}, false
	}
	t = token{kind: s.text[s.pos], start: s.pos}
	s.pos++
	switch t.kind {
	case '{', '[', '}', ']':
	case '"':
		s.skipString()
		t.key = s.beforeColon()
	case '-', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		t.kind = '0'
		s.skipScalar()
	default:
		s.skipScalar()
	}
	t.end = s.pos
	return t, true
}

// isBetween reports whether c may stand between tokens.
func isBetween(c byte) bool {
	return c == ',' || c == ':' || isSpace(c)
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

// skipString moves behind the closing quote of a string.
func (s *tokens) skipString() {
	for {
		// IndexByte looks at many bytes at once; most strings need it twice.
		quote := bytes.IndexByte(s.text[s.pos:], '"')
		if quote < 0 {
			s.pos = len(s.text)
			return
		}
		backslash := bytes.IndexByte(s.text[s.pos:s.pos+quote], '\\')
		if backslash < 0 {
			s.pos += quote + 1
			return
		}
		s.pos = min(s.pos+backslash+2, len(s.text))
	}
}

func (s *tokens) skipScalar() {
	for s.pos < len(s.text) && !isBetween(s.text[s.pos]) && !strings.ContainsRune(`{}[]"`, rune(s.text[s.pos])) {
		s.pos++
	}
}

func (s *tokens) beforeColon() bool {
	i := s.pos
	for i < len(s.text) && isSpace(s.text[i]) {
		i++
	}
	return i < len(s.text) && s.text[i] == ':'
}
