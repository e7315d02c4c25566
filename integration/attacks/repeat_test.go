package attacks

import (
	"encoding/json"
	"testing"
)

// attackKeysOfOthers use the idempotency key of somebody else, so that their
// message would count as sent already.
func attackKeysOfOthers(w *world) (rows []attack) {
	for _, pair := range []struct {
		name          string
		first, second caller
		expect        string
	}{
		{"own key again", caller{"alice", "k1", false}, caller{"alice", "k1", false}, "duplicate"},
		{"key of another user", caller{"alice", "k2", false}, caller{"bob", "k2", false}, "delivered"},
		{"key of a user, as the app", caller{"alice", "k3", false}, caller{"", "k3", true}, "delivered"},
		{"key of the app, as a user", caller{"", "k4", true}, caller{"alice", "k4", false}, "delivered"},
		{"key of a user, as nobody", caller{"alice", "k5", false}, caller{"", "k5", false}, "delivered"},
		{"key that ends the user's id", caller{"al", "icek6", false}, caller{"alice", "k6", false}, "delivered"},
		{"key with the prefix of the app's", caller{"", "s:k7", false}, caller{"", "k7", true}, "delivered"},
		{"user with the prefix of another", caller{"5:alice", "k8", false}, caller{"alice", "k8", false}, "delivered"},
		{"user and key with a length in it", caller{"a", "1:ak9", false}, caller{"a1:a", "k9", false}, "delivered"},
		{"key of another nobody (they share one scope)", caller{"", "k10", false}, caller{"", "k10", false}, "duplicate"},
	} {
		rows = append(rows, attack{pair.name, pair.expect, func(t *testing.T) string {
			pair.first.publish(t, w.site)
			return pair.second.publish(t, w.site)
		}})
	}
	return rows
}

// caller is somebody who publishes with a key.
type caller struct {
	user, key string
	app       bool
}

func (c caller) publish(t *testing.T, s target) string {
	t.Helper()
	header := []string{jsonType, "Idempotency-Key: " + c.key}
	if c.app {
		header = append(header, bearer(appKey))
	}
	if c.user != "" {
		header = append(header, "X-User: "+c.user)
	}
	a := s.send(t, post("open:keys", `{"content":1}`, header...))
	var done struct{ Duplicate bool }
	if err := json.Unmarshal([]byte(a.body), &done); err != nil || a.status != 200 {
		return a.String()
	}
	if done.Duplicate {
		return "duplicate"
	}
	return "delivered"
}
