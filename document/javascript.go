package document

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf16"
)

// What a client that is written in JavaScript would have otherwise than this node, and
// then give to the others or write back, is refused before it gets into a document.

// isForbidden tells the names with which a patch could change more than the document
// in such a client.
func isForbidden(name string) bool {
	return name == "__proto__" || name == "prototype" || name == "constructor"
}

// isFinite reports whether a number is finite there.
func isFinite(number string) bool {
	f, _ := strconv.ParseFloat(number, 64) // out of range is infinite
	return !math.IsInf(f, 0)
}

// hasHalfPair reports whether a valid JSON text has half of a surrogate pair among its
// escapes. JavaScript keeps it, UTF-8 can not hold it.
func hasHalfPair(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		unit, size := escape(text[i:])
		text = text[i+size:]
		if !utf16.IsSurrogate(unit) {
			continue
		}
		second, size := escape(text)
		if utf16.DecodeRune(unit, second) == '\uFFFD' {
			return true
		}
		text = text[size:]
	}
}

// escape reads the escape at the beginning of a text: what \u stands for, 0 for others
// and for what is none, and its length.
func escape(text []byte) (unit rune, size int) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, 2
	}
	n, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // valid, as the text is
	return rune(n), 6
}
