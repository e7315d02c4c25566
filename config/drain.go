package config

import (
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/node"
)

// Drain says how long this node takes to send its clients to other nodes.
type Drain struct {
	// Window is the time over which a drain by command closes the connections; at most 24h.
	// Default: 10s, which zero means as well.
	Window caddy.Duration `json:"window,omitempty"`

	// Exit is the same for the drain when the process exits. With few connections it takes
	// less. The service manager must give the process more time than that.
	// Default: 4s, which zero means as well.
	Exit caddy.Duration `json:"exit,omitempty"`
}

func (c *Drain) compile() (node.Drain, error) {
	for name, d := range map[string]time.Duration{"window": time.Duration(c.Window), "time at exit": time.Duration(c.Exit)} {
		if d < 0 || d > node.MaxDrainWindow {
			return node.Drain{}, fmt.Errorf("the %s is %v; it must be from 0 to 24h", name, d)
		}
	}
	return node.Drain{Window: time.Duration(c.Window), Exit: time.Duration(c.Exit)}, nil
}
