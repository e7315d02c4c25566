package document

import (
	"encoding/json"
	"maps"
	"slices"
)

// Append appends the value as compact JSON, with members in the order of their names.
func (t Tree) Append(dst []byte) []byte { return appendValue(slices.Grow(dst, t.Size()), t.root) }

// Text returns the value as compact JSON.
func (t Tree) Text() []byte { return t.Append(nil) }

func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case *object:
		return v.append(dst)
	case *array:
		return v.append(dst)
	case string:
		return appendString(dst, v)
	case json.Number:
		return append(dst, v...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	}
	return append(dst, "null"...)
}

func (o *object) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(o.members)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, name), ':')
		dst = appendValue(dst, o.members[name])
	}
	return append(dst, '}')
}

func (a *array) append(dst []byte) []byte {
	dst = append(dst, '[')
	for i, v := range a.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v)
	}
	return append(dst, ']')
}

// escapeOf returns the letter of the short escape of a byte; 'u' if it has no short escape, 0
// if it needs none.
func escapeOf(c byte) byte {
	switch c {
	case '"', '\\':
		return c
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	}
	if c < ' ' {
		return 'u'
	}
	return 0
}

// appendString appends a string, which is valid UTF-8. Line and paragraph separator
// are escaped, because JavaScript once took them for ends of lines.
func appendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c, e := s[i], escapeOf(s[i]); {
		case isSeparator(s[i:]):
			dst = append(dst, `\u202`...)
			dst = append(dst, digits[s[i+2]&15])
			i += 2
		case e == 0:
			dst = append(dst, c)
		case e == 'u':
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, '\\', e)
		}
	}
	return append(dst, '"')
}

// isSeparator reports U+2028 and U+2029 at the beginning of s.
func isSeparator(s string) bool {
	return len(s) >= 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2]&^1 == 0xa8
}

// quotedLen is the length of what appendString appends.
func quotedLen(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		switch e := escapeOf(s[i]); {
		case isSeparator(s[i:]):
			n += len(`\u2028`) - 3
		case e == 'u':
			n += 5
		case e != 0:
			n++
		}
	}
	return n
}
