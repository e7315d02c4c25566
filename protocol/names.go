package protocol

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxChannel, MaxEvent and MaxKey bound names, in bytes.
	MaxChannel = 255
	MaxEvent   = 64
	MaxKey     = 64
)

// ValidChannel checks the name of a channel: 1 to 255 bytes of UTF-8 without control characters,
// line separators or controls of the writing direction, without the characters * ? [ ] { } \ of
// patterns, and without white space at the ends. "." and ".." are not valid: HTTP clients remove
// them from an address, so the HTTP API could not name the channel.
func ValidChannel(name string) *Error {
	switch {
	case name == "":
		return Errorf(InvalidChannel, "a channel name must not be empty")
	case name == "." || name == "..":
		return Errorf(InvalidChannel, "a channel can not be called %s, which no address can hold", Quote(name))
	case len(name) > MaxChannel:
		return Errorf(InvalidChannel, "channel name %s is longer than %d bytes", Quote(name), MaxChannel)
	case isPlain(name):
		return nil
	case !utf8.ValidString(name):
		return Errorf(InvalidChannel, "channel name %s is not valid UTF-8", Quote(name))
	}
	for _, r := range name {
		if isInvisible(r) || strings.ContainsRune(forbidden, r) {
			return Errorf(InvalidChannel, "channel name %s must not contain %q", Quote(name), r)
		}
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return Errorf(InvalidChannel, "channel name %s must not begin or end with a space", Quote(name))
	}
	return nil
}

// IsPattern reports whether the name of a subscription is a pattern. No channel has a * in its
// name.
func IsPattern(name string) bool { return strings.IndexByte(name, '*') >= 0 }

// isPlain reports whether a name has only letters, digits and marks of ASCII that may stand
// anywhere in the name of a channel. Nearly all names are plain.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || !plainBytes[c] {
			return false
		}
	}
	return true
}

var plainBytes = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = c > ' ' && c < 0x7F && !strings.ContainsRune(forbidden, rune(c))
	}
	return t
}()

// forbidden are the characters of patterns.
const forbidden = `*?[]{}\`

// ValidEvent checks the app's name for a kind of message: at most 64 bytes of UTF-8 without
// control characters, and not a name that event streams use themselves. The empty name means no
// name and is valid.
func ValidEvent(name string) *Error {
	switch {
	case len(name) > MaxEvent:
		return Errorf(InvalidMessage, "event name %s is longer than %d bytes", Quote(name), MaxEvent)
	case !utf8.ValidString(name):
		return Errorf(InvalidMessage, "event name %s is not valid UTF-8", Quote(name))
	case strings.ContainsFunc(name, isInvisible):
		return Errorf(InvalidMessage, "event name %s must not contain control characters", Quote(name))
	case Reserved(name):
		return Errorf(InvalidMessage, "event name %s is reserved", Quote(name))
	}
	return nil
}

// Reserved reports whether a message cannot have this event name.
func Reserved(name string) bool { return reserved[name] }

// reserved are the names of other events than messages on an event stream, now or in later
// versions, and the names of events that a browser's EventSource raises itself. `message` is not
// reserved: a message without a name has it anyway.
var reserved = map[string]bool{
	TypeAck: true, TypeConnected: true, TypeError: true, TypeGap: true, TypeHistory: true, TypePing: true,
	TypePong: true, TypePosition: true, TypePresence: true, TypeReconnect: true, TypeSubscribed: true, TypeUnsubscribed: true,
	TypeAuthenticated: true, TypeResult: true, "change-accepted": true, "change-rejected": true,
	"remote-change": true, "open": true, "close": true,
}

// ValidKey checks an idempotency key: 1 to 64 bytes of printable ASCII.
func ValidKey(key string) *Error {
	if key == "" || len(key) > MaxKey {
		return Errorf(InvalidMessage, "a key must have 1 to %d bytes", MaxKey)
	}
	for i := range len(key) {
		if c := key[i]; c < ' ' || c > '~' {
			return Errorf(InvalidMessage, "key %s must be printable ASCII", Quote(key))
		}
	}
	return nil
}

// isInvisible reports whether a character can make a name look like another one, or breaks
// lines: control characters, line and paragraph separators, controls of the writing direction.
func isInvisible(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return true
	case r == '\u061c', r == '\u200e', r == '\u200f':
		return true
	}
	return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}
