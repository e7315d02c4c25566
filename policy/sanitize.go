package policy

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/internal/lane"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Sanitize says which markup the strings of a content may have.
type Sanitize uint8

const (
	// SanitizeNone leaves strings alone: the program that shows them must escape them. It
	// is the zero value.
	SanitizeNone Sanitize = iota
	// SanitizeText removes all HTML from strings that are text. Other text stays as it is,
	// including "a & b < c" and "&lt;". A string without a "<" that could start a tag is
	// never changed. A string with one may lose more than the sender meant as a tag, as it
	// would in a browser: "x <y" ends after the x.
	SanitizeText
	// SanitizeHTML keeps the harmless subset of HTML in strings that are HTML: formatting,
	// links, lists, tables, images. No element keeps an id, name, class or style. These
	// strings are HTML afterwards, so special characters in them become entities.
	SanitizeHTML
)

var sanitizeWords = [...]string{SanitizeNone: "none", SanitizeText: "text", SanitizeHTML: "html"}

// String returns the word of the configuration.
func (m Sanitize) String() string {
	if int(m) < len(sanitizeWords) {
		return sanitizeWords[m]
	}
	return fmt.Sprintf("Sanitize(%d)", uint8(m))
}

// ParseSanitize parses the word of the configuration.
func ParseSanitize(word string) (Sanitize, error) {
	for m, w := range sanitizeWords {
		if w == word {
			return Sanitize(m), nil
		}
	}
	return SanitizeNone, fmt.Errorf("%q is none of none, text, html", word)
}

// apply cleans every string value of a valid content. It copies everything else byte for
// byte, so that numbers and the order of members stay. It returns the content itself if
// nothing has to change.
//
// Both modes reject a member name with markup: cleaning could make two names equal, and no
// program chooses such a name. The errors are SCHEMA_VIOLATION for that, and TOO_LARGE.
func (m Sanitize) apply(content json.RawMessage) (clean json.RawMessage, changed bool, e *protocol.Error) {
	if m == SanitizeNone || !m.suspicious(content, false) {
		return content, false, nil
	}
	work := func() *protocol.Error {
		clean, changed, e = m.cleanAll(content)
		return e
	}
	if len(content) <= lane.Brief {
		_ = work()
	} else {
		_ = inLane(work)
	}
	return clean, changed, e
}

// maxTagged limits the strings with markup in one content. Cleaning one costs far more than
// its length.
const maxTagged = 2000

// cleanAll is apply for a content that suspicious has found.
func (m Sanitize) cleanAll(content json.RawMessage) (clean json.RawMessage, changed bool, e *protocol.Error) {
	var out []byte
	done, tagged := 0, 0
	text := tokens{text: content}
	for t, ok := text.next(); ok; t, ok = text.next() {
		if t.kind != '"' {
			continue
		}
		if SanitizeText.suspicious(content[t.start:t.end], t.key) {
			tagged++
		}
		if tagged > maxTagged {
			return nil, false, protocol.Errorf(protocol.TooLarge, "more than %d strings of the content have markup", maxTagged)
		}
		dirty, value := m.clean(content[t.start:t.end], t.key)
		switch {
		case !dirty:
		case t.key:
			return nil, false, protocol.Errorf(protocol.SchemaViolation, "the name of a member of the content has markup, which this room does not allow")
		default:
			out = append(out, content[done:t.start]...)
			out = protocol.AppendString(out, value)
			done = t.end
		}
	}
	if out == nil {
		return content, false, nil
	}
	return append(out, content[done:]...), true, nil
}

// clean returns the cleaned string and reports whether it differs from the given one.
func (m Sanitize) clean(quoted []byte, key bool) (dirty bool, clean string) {
	if !m.suspicious(quoted, key) {
		return false, ""
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return true, "" // never: the content was checked
	}
	if m == SanitizeText || key {
		clean = plainText(s)
	} else {
		clean = harmless(s)
	}
	return clean != s, clean
}

// suspicious reports whether a string, or a whole content, may need cleaning and is worth
// decoding. In a chat few are.
func (m Sanitize) suspicious(quoted []byte, key bool) bool {
	if m == SanitizeText || key {
		return bytes.ContainsRune(quoted, '<') ||
			bytes.Contains(quoted, []byte(`\u003c`)) || bytes.Contains(quoted, []byte(`\u003C`))
	}
	return bytes.ContainsAny(quoted, `&<>'\`)
}
