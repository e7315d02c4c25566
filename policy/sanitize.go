package policy

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/caddy-realtime/caddy-realtime/internal/lane"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// Sanitize says what markup the strings of a content may hold.
type Sanitize uint8

const (
	// SanitizeNone leaves strings alone: escaping belongs to whoever shows them.
	// It is the zero value.
	SanitizeNone Sanitize = iota
	// SanitizeText removes all HTML from strings that are text. What is no markup
	// stays as it is, "a & b < c" and "&lt;" included. A string without any "<"
	// that could begin a tag is never changed; one with it may lose more than the
	// sender meant as a tag, as it would in a browser: "x <y" ends after the x.
	SanitizeText
	// SanitizeHTML keeps the harmless subset of HTML in strings that are HTML:
	// formatting, links, lists, tables, images. No element keeps an id, name, class or
	// style. As these strings are HTML afterwards, special characters in them are
	// written as entities.
	SanitizeHTML
)

var sanitizeWords = [...]string{SanitizeNone: "none", SanitizeText: "text", SanitizeHTML: "html"}

// String gives the word of the configuration.
func (m Sanitize) String() string {
	if int(m) < len(sanitizeWords) {
		return sanitizeWords[m]
	}
	return fmt.Sprintf("Sanitize(%d)", uint8(m))
}

// ParseSanitize reads the word of the configuration.
func ParseSanitize(word string) (Sanitize, error) {
	for m, w := range sanitizeWords {
		if w == word {
			return Sanitize(m), nil
		}
	}
	return SanitizeNone, fmt.Errorf("%q is none of none, text, html", word)
}

// apply cleans every string value of a valid content. What it does not have to
// change it copies byte for byte, so that numbers and the order of members stay,
// and a content with nothing to change is returned itself.
//
// A member's name with markup is refused in either mode. To clean it could make two
// names the same, and no program chooses such a name. The errors are SCHEMA_VIOLATION
// for that, and TOO_LARGE.
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

// maxTagged bounds the strings with markup of one content. To clean each of them costs
// far more than its length.
const maxTagged = 2000

// cleanAll is apply for a content that may have something to clean.
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
			return nil, false, protocol.Errorf(protocol.SchemaViolation, "a member's name must not contain markup")
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

// clean gives what becomes of a string, and whether that is something else.
func (m Sanitize) clean(quoted []byte, key bool) (dirty bool, clean string) {
	if !m.suspicious(quoted, key) {
		return false, ""
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return true, "" // not JSON, whoever let it in
	}
	if m == SanitizeText || key {
		clean = plainText(s)
	} else {
		clean = harmless(s)
	}
	return clean != s, clean
}

// suspicious finds the strings that are worth decoding, which in a chat are few,
// and likewise the contents that have such strings.
func (m Sanitize) suspicious(quoted []byte, key bool) bool {
	if m == SanitizeText || key {
		return bytes.IndexByte(quoted, '<') >= 0 ||
			bytes.Contains(quoted, []byte(`\u003c`)) || bytes.Contains(quoted, []byte(`\u003C`))
	}
	return bytes.ContainsAny(quoted, `&<>'\`)
}
