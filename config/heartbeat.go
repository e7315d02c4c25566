package config

import (
	"cmp"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Heartbeat says how often the server probes a connection. A WebSocket client answers a
// ping. An event stream gets a comment line, which keeps proxies on the way from closing
// it.
type Heartbeat struct {
	// Interval is the time between two probes of a connection. Default: 25s, which zero
	// means as well.
	Interval caddy.Duration `json:"interval,omitempty"`

	// Timeout is how long the answer to a ping may take before the server closes the
	// connection; at most Interval. Default: 10s, or Interval if that is shorter; zero
	// means the same.
	Timeout caddy.Duration `json:"timeout,omitempty"`
}

func (c *Heartbeat) check() error {
	interval := cmp.Or(time.Duration(c.Interval), hub.DefaultHeartbeat)
	switch timeout := time.Duration(c.Timeout); {
	case interval < 0:
		return fmt.Errorf("the interval is negative: %v", interval)
	case timeout < 0:
		return fmt.Errorf("the timeout is negative: %v", timeout)
	case timeout > interval:
		return fmt.Errorf("the timeout of %v contradicts the interval of %v, which is shorter", timeout, interval)
	}
	return nil
}
