package attacks

import (
	"encoding/json"
	"fmt"
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
		{"own key again", caller{"alice", "k1", ""}, caller{"alice", "k1", ""}, "duplicate"},
		{"key of another user", caller{"alice", "k2", ""}, caller{"bob", "k2", ""}, "delivered"},
		{"key of a user, as the app", caller{"alice", "k3", ""}, caller{"", "k3", appKey}, "delivered"},
		{"key of the app, as a user", caller{"", "k4", appKey}, caller{"alice", "k4", ""}, "delivered"},
		{"key of a user, as nobody", caller{"alice", "k5", ""}, caller{"", "k5", ""}, "delivered"},
		{"key that ends the user's id", caller{"al", "icek6", ""}, caller{"alice", "k6", ""}, "delivered"},
		{"key of one API key, with another", caller{"", "k11", narrowKey}, caller{"", "k11", appKey}, "delivered"},
		{"key of an API key again", caller{"", "k12", narrowKey}, caller{"", "k12", narrowKey}, "duplicate"},
		{"key with the prefix of the app's", caller{"", "s:k7", ""}, caller{"", "k7", appKey}, "delivered"},
		{"user with the prefix of another", caller{"5:alice", "k8", ""}, caller{"alice", "k8", ""}, "delivered"},
		{"user and key with a length in it", caller{"a", "1:ak9", ""}, caller{"a1:a", "k9", ""}, "delivered"},
		{"key of another nobody at the address", caller{"", "k10", ""}, caller{"", "k10", ""}, "duplicate"},
	} {
		rows = append(rows, attack{pair.name, pair.expect, func(t *testing.T) string {
			pair.first.publish(t, w.site)
			return pair.second.publish(t, w.site)
		}})
	}
	return append(rows,
		attack{"own key for another message", "422 CONFLICT, then duplicate", func(t *testing.T) string {
			alice := []string{jsonType, "X-User: alice", "Idempotency-Key: k13"}
			w.site.send(t, post("open:keys", `{"content":1}`, alice...))
			other := w.site.send(t, post("open:keys", `{"content":2}`, alice...))
			return other.String() + ", then " + caller{"alice", "k13", ""}.publish(t, w.site)
		}},
		attack{"guessed key of another nobody", "delivered", func(t *testing.T) string { return twice(t, w.site, "17", false) }},
		attack{"name of another nobody's connection as that of a document's client", "accepted", func(t *testing.T) string { return stealChange(t, w.site) }},
		attack{"random key again, by nobody after a reconnect", "duplicate", func(t *testing.T) string {
			return twice(t, w.site, "q7x2m9v4k1z8w3p6-1", true)
		}},
	)
}

// twice has two anonymous connections publish with the same key.
func twice(t *testing.T, s target, key string, lost bool) string {
	command := `{"channel":"open:nobody","content":1,"key":"` + key + `"}`
	first := s.connect(t)
	if ev := first.ask(t, "message", command); ev.Type != "ack" {
		return ev.outcome()
	}
	if lost {
		_ = first.conn.Close()
	}
	switch ev := s.connect(t).ask(t, "message", command); {
	case ev.Type != "ack":
		return ev.outcome()
	case ev.Payload.Duplicate:
		return "duplicate"
	}
	return "delivered"
}

// stealChange has a member of a room propose the next change of another one, whose
// connection everybody sees, so that the other's own would count as made already.
func stealChange(t *testing.T, s target) string {
	victim, thief := s.connect(t), s.connect(t)
	for _, c := range []*client{victim, thief} {
		c.ask(t, "subscribe", `{"channel":"board:1"}`)
	}
	change := func(c *client, field, more string) envelope {
		return c.ask(t, "change", `{"channel":"board:1","localVersion":1,"baseVersion":0,"patch":{"`+field+`":1}`+more+`}`)
	}
	for _, name := range []string{".", "", "\\u0001"} {
		if ev := change(thief, "stolen", `,"client":"`+name+victim.id+`"`); ev.Type != "change-accepted" && ev.Type != "change-rejected" && ev.Type != "error" {
			return ev.outcome()
		}
	}
	ev := change(victim, "own", "")
	if ev.Type != "change-accepted" || ev.Payload.Duplicate {
		return fmt.Sprintf("%+v", ev)
	}
	return "accepted"
}

// caller is somebody who publishes with a key.
type caller struct {
	user, key, apiKey string
}

func (c caller) publish(t *testing.T, s target) string {
	t.Helper()
	header := []string{jsonType, "Idempotency-Key: " + c.key}
	if c.apiKey != "" {
		header = append(header, bearer(c.apiKey))
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
