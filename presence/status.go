package presence

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The statuses that mean something here. Any other short word is the
// application's own. Offline cannot be set: it is said of remembered members.
const (
	Online  = "online"
	Away    = "away"
	Offline = "offline"
)

// MaxStatus is the greatest length of a status in bytes.
const MaxStatus = 32

// ErrStatus is returned for a status that is not a short, printable text. Its
// text is meant for clients.
var ErrStatus = errors.New("a status is a printable text of 1 to 32 bytes other than offline")

// Rank orders statuses for a member that has several: the highest counts. Words
// of the application come before online, online before away.
func Rank(status string) int {
	switch status {
	case Away:
		return 0
	case "", Online:
		return 1
	default:
		return 2
	}
}

// parseStatus checks a status that a client sends and gives its form in a
// [Member], in which online is the empty one.
func parseStatus(s string) (string, error) {
	switch {
	case s == Online:
		return "", nil
	case s == "" || s == Offline || len(s) > MaxStatus || !utf8.ValidString(s):
		return "", ErrStatus
	case strings.TrimSpace(s) != s || strings.ContainsFunc(s, unprintable):
		return "", ErrStatus
	}
	return strings.Clone(s), nil // the caller's may be a part of a large frame
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
