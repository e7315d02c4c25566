package document

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf16"
)

// A client written in JavaScript would read some values differently than this node, and pass
// them on or write them back. They are rejected before they get into a document.

// isForbiddenName reports whether a member with this name could change more than the document
// in such a client.
func isForbiddenName(name string) bool {
	return name == "__proto__" || name == "prototype" || name == "constructor"
}

// isFinite reports whether a number is finite in JavaScript.
func isFinite(number string) bool {
	f, _ := strconv.ParseFloat(number, 64) // out of range is infinite
	return !math.IsInf(f, 0)
}

// hasHalfPair reports whether a valid JSON text has half of a surrogate pair among its
// escapes. JavaScript keeps it, but UTF-8 cannot encode it.
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

// escape reads the escape at the start of a text. It returns its length, and the code unit of
// \u; 0 for other escapes and for text that is no escape.
func escape(text []byte) (unit rune, size int) {
	digits, ok := bytes.CutPrefix(text, []byte(`\u`))
	if !ok {
		return 0, 2
	}
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 16) // valid, as the text is
	return rune(n), 6
}
