package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// Hub configures one hub: its limits, and the rooms that its clients may use. The zero
// value is a hub in which nothing can be subscribed to.
type Hub struct {
	// Heartbeat finds dead connections.
	Heartbeat Heartbeat `json:"heartbeat,omitzero"`

	// Limits bound what clients may use of this node.
	Limits Limits `json:"limits,omitzero"`

	// Rooms are the rules for channels. The first rule whose pattern matches a channel
	// decides, in the order in which they are written. A channel that no pattern matches
	// can not be used. Default: none.
	Rooms []Room `json:"rooms,omitempty"`

	// Drain says how long this node takes to send its clients to other nodes.
	Drain Drain `json:"drain,omitzero"`

	// Redis lets several nodes share the rooms. Default: each node has rooms of its own.
	Redis *Redis `json:"redis,omitempty"`

	// Store keeps the rooms of a single node in a file. Default: a restart loses them.
	Store *Store `json:"store,omitempty"`
}

// maxHubName keeps names short enough for metrics, logs and keys.
const maxHubName = 64

// CheckHubName finds names that a hub can not have.
func CheckHubName(s string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	if s == "" || len(s) > maxHubName || strings.Trim(s, allowed) != "" {
		return fmt.Errorf("'%s' is not a name for a hub: 1 to %d of the characters A-Z a-z 0-9 _ - .", s, maxHubName)
	}
	return nil
}

// Equal reports whether two configurations say the same.
func (c *Hub) Equal(o *Hub) bool {
	mine, err1 := json.Marshal(c)
	theirs, err2 := json.Marshal(o)
	return err1 == nil && err2 == nil && bytes.Equal(mine, theirs)
}

// ForUsers finds a room in which nobody may do anything who is anonymous.
func (c *Hub) ForUsers() (pattern string) {
	for _, r := range c.Rooms {
		known := cmp.Or(r.Subscribe, DefaultSubscribe.String())
		if (known == "users" || known == "granted") && r.Publish != "anyone" && r.SubscribePattern != "anyone" || strings.Contains(r.Pattern, "{user}") {
			return r.Pattern
		}
	}
	return ""
}
