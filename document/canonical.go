package document

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
)

// hashEvery: every hashEvery-th version has a hash of the state in its entry.
const hashEvery = 32

// Hash returns a hash of the state in its canonical form. It does not depend on how numbers
// and strings were written, so nodes and clients compare it to find out whether they have
// the same state. It is FNV-1a of 32 bits over the text that RFC 8785 describes. In
// JavaScript that is JSON.stringify with the members of each object sorted.
func (t Tree) Hash() uint32 {
	h := fnv.New32a()
	_, _ = h.Write(appendCanonical(make([]byte, 0, t.Size()), t.root)) // does not fail
	return h.Sum32()
}

func appendCanonical(dst []byte, v any) []byte {
	switch v := v.(type) {
	case *object:
		dst = append(dst, '{')
		for i, name := range sortedUTF16(v.members) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendCanonicalString(dst, name), ':')
			dst = appendCanonical(dst, v.members[name])
		}
		return append(dst, '}')
	case *array:
		dst = append(dst, '[')
		for i, item := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendCanonical(dst, item)
		}
		return append(dst, ']')
	case string:
		return appendCanonicalString(dst, v)
	case json.Number:
		return appendCanonicalNumber(dst, string(v))
	}
	return appendValue(dst, v)
}

// sortedUTF16 returns the names in the order in which JavaScript sorts them. It differs from
// the order of bytes only if a name has a character beyond the first 65,536.
func sortedUTF16(members map[string]any) []string {
	names := slices.Sorted(maps.Keys(members))
	for _, name := range names {
		for i := range len(name) {
			if name[i] >= 0xf0 {
				slices.SortFunc(names, func(a, b string) int {
					return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
				})
				return names
			}
		}
	}
	return names
}

func appendCanonicalString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c, e := s[i], escapeOf(s[i]); {
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
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

// appendCanonicalNumber writes a number as JavaScript writes it after reading it. An
// infinite number is null there.
func appendCanonicalNumber(dst []byte, s string) []byte {
	f, _ := strconv.ParseFloat(s, 64) // out of range is infinite
	if math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return appendNumber(dst, f)
}

// appendNumber writes a finite number as JavaScript does.
func appendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0') // also for -0
	}
	text, _ := json.Marshal(f) // which has the format of JavaScript; finite numbers do not fail
	return append(dst, text...)
}
