package protocol

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes has the bytes that a JSON string must escape, and the character after the backslash.
// 'u' means the six characters of a numbered escape.
var escapes = func() (t [utf8.RuneSelf]byte) {
	for c := range byte(' ') {
		t[c] = 'u'
	}
	t['"'], t['\\'] = '"', '\\'
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'] = 'b', 'f', 'n', 'r', 't'
	return t
}()

// AppendString appends s as a JSON string. It escapes U+2028 and U+2029, which old JavaScript
// treats as line ends. Bytes that are not UTF-8 become the replacement character. Markup is not
// escaped, because frames are no HTML.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if escapes[c] != 0 {
				dst = appendEscape(append(dst, s[from:i]...), rune(c))
				from = i + 1
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == '\u2028' || r == '\u2029' || r == utf8.RuneError && n == 1 {
			dst = appendEscape(append(dst, s[from:i]...), r)
			from = i + n
		}
		i += n
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscape(dst []byte, r rune) []byte {
	if r < utf8.RuneSelf && escapes[r] != 'u' {
		return append(dst, '\\', escapes[r])
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// unquoted returns the characters of a valid JSON string. Without escapes it shares the memory
// of v.
func unquoted(v []byte) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	s, _ := unquote(v)
	return []byte(s)
}

// unquote resolves the escapes of a valid JSON string. ok is false if the string has half of a
// surrogate pair, which is no character.
func unquote(v []byte) (s string, ok bool) {
	v = v[1 : len(v)-1]
	out := make([]byte, 0, len(v))
	ok = true
	for len(v) > 0 {
		if v[0] != '\\' {
			out, v = append(out, v[0]), v[1:]
			continue
		}
		r, n := unescape(v)
		ok = ok && !utf16.IsSurrogate(r)
		out, v = utf8.AppendRune(out, r), v[n:]
	}
	return string(out), ok
}

// unescape reads the escape at the start of v and returns its length. A pair of surrogates is
// one character.
func unescape(v []byte) (r rune, n int) {
	switch c := v[1]; c {
	case 'u':
		r = hexRune(v[2:])
		if len(v) >= 12 && v[6] == '\\' && v[7] == 'u' {
			if pair := utf16.DecodeRune(r, hexRune(v[8:])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return r, 6
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	default:
		return rune(c), 2
	}
}

func hexRune(v []byte) (r rune) {
	for _, c := range v[:4] {
		d, _ := hexDigit(c)
		r = r<<4 | rune(d)
	}
	return r
}

func hexDigit(c byte) (d byte, ok bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
