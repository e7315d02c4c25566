package presence

import (
	"encoding/json"
	"errors"
)

// MaxInfo is the greatest size of the info that a client sets, in bytes. The
// server's own info has no limit here.
const MaxInfo = 1024

// ErrInfo is returned for an info that is not a JSON object, or for a client's
// that is too large. Its text is meant for clients.
var ErrInfo = errors.New("info is a JSON object of at most 1024 bytes")

// reserved are the keys that stand beside the info's own on the wire.
var reserved = [...]string{"status", "lastSeen"}

type fields map[string]json.RawMessage

// parseInfo gives an info in its canonical form. Null and an object without keys
// are the empty string.
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

// mergeInfo joins two infos in canonical form by their top-level keys. The
// server's win, because others rely on them.
func mergeInfo(client, server string) string {
	if client == "" || server == "" {
		return client + server
	}
	var f fields
	_ = json.Unmarshal([]byte(client), &f)
	_ = json.Unmarshal([]byte(server), &f) // into the same map: replaces
	return f.text()
}
