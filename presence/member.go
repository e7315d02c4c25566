package presence

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Member is what a room shows of a member. Tracker and store share it, so it must not change
// after it was passed on.
type Member struct {
	// Key is the id of the user, or of the connection if that is anonymous.
	Key string
	// Status is a word; empty means online.
	Status string
	// Info is a JSON object, compact and with its keys in order, or empty. It has neither
	// "status" nor "lastSeen", because the wire protocol adds these.
	Info string
	// Remember is how long the store lists the member after it has left; 0 means not at
	// all. It is not shown.
	Remember time.Duration
	// Grace is how long the member may stay without a connection when the node comes back after
	// a restart. It is not shown.
	Grace time.Duration
	// Owner says whether Key names a user or a connection. It is not shown.
	Owner Owner
}

// Same reports whether two members show the same and have the same owner. Nil stands for no
// member.
func (m *Member) Same(o *Member) bool {
	if m == nil || o == nil {
		return m == o
	}
	return m == o || m.Status == o.Status && m.Info == o.Info && m.Owner == o.Owner
}

// The statuses with a meaning. Any other short word is the app's own. Offline cannot be
// set: it is the status of remembered members.
const (
	Online  = "online"
	Away    = "away"
	Offline = "offline"
)

// MaxStatus is the greatest length of a status in bytes.
const MaxStatus = 32

// ErrStatus is returned for a status that is not a short, printable text. Its text is meant
// for clients.
var ErrStatus = errors.New("a status is a printable text of 1 to 32 bytes other than offline")

// Rank returns the rank of a status. Of several statuses of a member the highest counts:
// words of the app rank above online, online above away.
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

// parseStatus checks a status that a client sends and returns its form in a [Member], which
// is empty for online.
func parseStatus(s string) (string, error) {
	switch {
	case s == Online:
		return "", nil
	case s == "" || s == Offline || len(s) > MaxStatus || !utf8.ValidString(s):
		return "", ErrStatus
	case strings.TrimSpace(s) != s || strings.ContainsFunc(s, unprintable):
		return "", ErrStatus
	}
	return strings.Clone(s), nil // because s may be a part of a large frame
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// MaxInfo is the greatest size of the info that a client sets, in bytes. The info that the
// server sets has no limit here.
const MaxInfo = 1024

// ErrInfo is returned for an info that is not a JSON object, and for a client's info that is
// too large. Its text is meant for clients.
var ErrInfo = errors.New("info is a JSON object of at most 1024 bytes")

// reserved are the keys that the wire protocol adds to those of the info.
var reserved = [...]string{"status", "lastSeen"}

type fields map[string]json.RawMessage

// parseInfo returns an info in its canonical form. For null and for an object without keys
// that is the empty string.
func parseInfo(raw json.RawMessage, limit int) (string, error) {
	if limit > 0 && len(raw) > limit {
		return "", ErrInfo
	}
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return "", ErrInfo
	}
	for _, key := range reserved {
		delete(f, key)
	}
	return f.text(), nil
}

func (f fields) text() string {
	if len(f) == 0 {
		return ""
	}
	out, err := json.Marshal(f) // sorts the keys and compacts the values
	if err != nil {
		return "" // not possible: each value came out of Unmarshal
	}
	return string(out)
}

// mergeInfo merges two infos in canonical form by their top-level keys. The server's keys
// win, because other clients rely on them.
func mergeInfo(client, server string) string {
	if client == "" || server == "" {
		return client + server
	}
	var f fields
	_ = json.Unmarshal([]byte(client), &f)
	_ = json.Unmarshal([]byte(server), &f) // into the same map: replaces
	return f.text()
}
