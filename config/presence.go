package config

import (
	"cmp"
	"errors"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Presence makes a room know who is in it: each subscriber is a member, a
// user with several connections one member.
type Presence struct {
	// Grace is how long a user may be without a connection before the others see
	// that they have left; whoever comes back within it was never gone. A client
	// that unsubscribes or closes its connection leaves at once. A negative value
	// means no grace. Default: 5s, which zero means as well.
	Grace caddy.Duration `json:"grace,omitempty"`

	// Remember is for how long a user who has left is still listed, as offline
	// and with the time when they were last seen, over the HTTP API. A negative
	// value means not at all. Default: 5m, which zero means as well.
	Remember caddy.Duration `json:"remember,omitempty"`

	// Snapshot is how many members a client is told of at once; it can ask for
	// further ones, and is told the exact number in any case. Default: 100, which
	// zero means as well.
	Snapshot int `json:"snapshot,omitempty"`

	// Visible says who may see the members: `anyone`, `users`, `granted` or
	// `server` (only the app, over the HTTP API). Default: who may subscribe.
	Visible string `json:"visible,omitempty"`
}

// maxSnapshot keeps a snapshot within what a connection's queue holds.
const maxSnapshot = 1000

func (c *Presence) compile() (*presence.Options, policy.Access, error) {
	if c == nil {
		return nil, policy.Default, nil
	}
	o := &presence.Options{
		Grace:    orDefault(c.Grace, presence.DefaultGrace),
		Remember: orDefault(c.Remember, presence.DefaultRemember),
		Snapshot: cmp.Or(c.Snapshot, presence.DefaultSnapshot),
	}
	if c.Snapshot < 0 || c.Snapshot > maxSnapshot {
		return nil, policy.Default, errors.New("presence: snapshot is not a number from 1 to 1000")
	}
	if c.Visible == "" {
		return o, policy.Default, nil
	}
	visible, err := policy.ParseAccess(c.Visible)
	return o, visible, err
}

// orDefault gives the default for zero, and zero for what is negative.
func orDefault(d caddy.Duration, usual time.Duration) time.Duration {
	switch {
	case d == 0:
		return usual
	case d < 0:
		return 0
	}
	return time.Duration(d)
}
