package config

import (
	"cmp"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Presence makes a room know who is in it. Each subscriber is a member; a user with several
// connections is one member.
type Presence struct {
	// Grace is how long a user may be without a connection before the others see that the
	// user has left. A user who reconnects in time was never gone. A client that
	// unsubscribes or closes its connection leaves at once. A negative value means no
	// grace. After a restart with a store it may last longer. Default: 5s, which zero means as
	// well.
	Grace caddy.Duration `json:"grace,omitempty"`

	// Remember is how long the HTTP API still lists a user who has left, as offline and
	// with the time of the last connection. A negative value means not at all. Default:
	// 5m, which zero means as well.
	Remember caddy.Duration `json:"remember,omitempty"`

	// Snapshot is how many members a client is sent at once; at most 1000. It can request
	// more, and is always sent the exact number of members. Default: 100, which zero means
	// as well.
	Snapshot int `json:"snapshot,omitempty"`

	// Visible says who may see the members: `anyone`, `users`, `granted` or `server` (only
	// the app, over the HTTP API). Default: the same as the room's subscribe.
	Visible string `json:"visible,omitempty"`
}

func (c *Presence) compile() (*presence.Options, policy.Access, error) {
	if c == nil {
		return nil, policy.Default, nil
	}
	o := &presence.Options{
		Grace:    orDefault(c.Grace, presence.DefaultGrace),
		Remember: orDefault(c.Remember, presence.DefaultRemember),
		Snapshot: cmp.Or(c.Snapshot, presence.DefaultSnapshot),
	}
	if c.Snapshot < 0 || c.Snapshot > MaxSnapshot {
		return nil, policy.Default, fmt.Errorf("presence: snapshot is not a number from 1 to %d", MaxSnapshot)
	}
	if c.Visible == "" {
		return o, policy.Default, nil
	}
	visible, err := policy.ParseAccess(c.Visible)
	return o, visible, err
}

// orDefault returns the default for zero, and zero for a negative duration.
func orDefault(d caddy.Duration, usual time.Duration) time.Duration {
	switch {
	case d == 0:
		return usual
	case d < 0:
		return 0
	}
	return time.Duration(d)
}
