package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/policy"
)

// HandleMessage sends what clients publish to the app, whose answer is published. What the app
// publishes with an API key is not affected, and neither are members and documents.
type HandleMessage struct {
	// Channels are the patterns of the channels, as those of rooms and without placeholders.
	// Each must match a channel of a room of the hub. Required.
	Channels []string `json:"channels,omitempty"`

	// Concurrency is how many messages the app is asked about at a time, of which a quarter may
	// come from one address. 16 times as many may wait for their turn. Default: 64, which zero
	// means as well.
	Concurrency int `json:"concurrency,omitempty"`

	// Timeout is how long an answer may take, including the wait for a turn. Default: 5s, which
	// zero means as well.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// MaxAnswer is the greatest size of an answer, in bytes. Default: 65536 (64KiB), which zero
	// means as well.
	MaxAnswer int64 `json:"max_answer,omitempty"`

	// Routes answer a POST request for the route's path with /message behind it, whose body is
	// the message. The placeholders {realtime.channel} and {realtime.user} say what it is about.
	// Cookie and Authorization are those of the client. Required.
	Routes caddyhttp.RouteList `json:"routes,omitempty"`

	// directives are the routes in the Caddyfile, until [HandleMessage.ParseRoutes] parses them.
	directives caddyfile.Segment
}

// HandleCall sends what clients call to the app, whose answer is the result.
type HandleCall struct {
	// Concurrency is how many calls the app is asked about at a time, of which a quarter may come
	// from one address. 16 times as many may wait for their turn. Default: 64, which zero means
	// as well.
	Concurrency int `json:"concurrency,omitempty"`

	// Timeout is how long an answer may take, including the wait for a turn. Default: 5s, which
	// zero means as well.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// MaxAnswer is the greatest size of an answer, in bytes. Default: 65536 (64KiB), which zero
	// means as well.
	MaxAnswer int64 `json:"max_answer,omitempty"`

	// Routes answer a POST request for the route's path with /call behind it, whose body is the
	// call. The placeholders {realtime.method} and {realtime.user} say what it is about. Cookie
	// and Authorization are those of the client. Required.
	Routes caddyhttp.RouteList `json:"routes,omitempty"`

	// directives are the routes in the Caddyfile, until [HandleCall.ParseRoutes] parses them.
	directives caddyfile.Segment
}

// The defaults of the blocks handle_message and handle_call.
const (
	DefaultHandleConcurrency = 64
	DefaultHandleTimeout     = 5 * time.Second
	DefaultMaxAnswer         = 64 << 10
)

// Handling is a block handle_message or handle_call with its defaults filled in.
type Handling struct {
	Concurrency int
	Timeout     time.Duration
	MaxAnswer   int
	Routes      caddyhttp.RouteList
}

// Compile checks the block.
func (c *HandleMessage) Compile() (Handling, policy.Patterns, error) {
	h, err := handling(c.Concurrency, c.Timeout, c.MaxAnswer, c.Routes)
	if err != nil {
		return Handling{}, nil, err
	}
	if len(c.Channels) == 0 {
		return Handling{}, nil, errors.New("it names no channels")
	}
	patterns, err := policy.ParsePatterns(c.Channels)
	return h, patterns, err
}

// CheckOrder finds a pattern that is never used, because the block is the last of several and an
// earlier one has all of its channels.
func CheckOrder(blocks []*HandleMessage) error {
	last := blocks[len(blocks)-1]
	_, patterns, err := last.Compile()
	if err != nil {
		return err
	}
	for _, earlier := range blocks[:len(blocks)-1] {
		_, first, err := earlier.Compile()
		if err != nil {
			return err
		}
		if i, by, ok := patterns.CoveredBy(first); ok {
			return fmt.Errorf("'%s' is never used, because 'handle_message %s' comes first and has all of its channels", last.Channels[i], earlier.Channels[by])
		}
	}
	return nil
}

// CheckReached finds a pattern that no room of the hub opens, and no app.
func (c *HandleMessage) CheckReached(hub *Hub, kinds ...Kinds) error {
	_, patterns, err := c.Compile()
	if err != nil {
		return err
	}
	meets, err := patterns.Meets(hub.patterns(kinds))
	if i := slices.Index(meets, false); err == nil && i >= 0 {
		err = fmt.Errorf("'handle_message %s' is never used, because no room of the hub opens such a channel", c.Channels[i])
	}
	return err
}

// Compile checks the block.
func (c *HandleCall) Compile() (Handling, error) {
	return handling(c.Concurrency, c.Timeout, c.MaxAnswer, c.Routes)
}

func handling(concurrency int, timeout caddy.Duration, most int64, routes caddyhttp.RouteList) (Handling, error) {
	switch {
	case concurrency < 0:
		return Handling{}, errors.New("the concurrency is negative")
	case timeout < 0:
		return Handling{}, errors.New("the timeout is negative")
	case most < 0:
		return Handling{}, errors.New("max_answer is negative")
	}
	return Handling{
		Concurrency: cmp.Or(concurrency, DefaultHandleConcurrency),
		Timeout:     cmp.Or(time.Duration(timeout), DefaultHandleTimeout),
		MaxAnswer:   cmp.Or(int(most), DefaultMaxAnswer),
		Routes:      routes,
	}, nil
}
