package config

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/auth"
)

// Authorize asks the app what clients may do, beyond what the rooms allow. The question is a
// request that never leaves this Caddy unless a handler such as `reverse_proxy` sends it on.
type Authorize struct {
	// On names what the app is asked: `connect` (which also tells who the client is),
	// `subscribe` (also for reading history and members over the HTTP API) and `publish`.
	// Default: all of them.
	On []string `json:"on,omitempty"`

	// Cache is how long an answer counts for the same question, which is about the same
	// action, channel, user, cookies, Authorization, address and host. A negative value
	// means not at all. Default: 5s, which zero means as well.
	Cache caddy.Duration `json:"cache,omitempty"`

	// Timeout is how long an answer may take, including the time for which the question
	// waits for others: 64 questions are asked at a time, 16 of them about one address.
	// Default: 3s, which zero means as well.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// Routes answer the question, a GET request for the route's path with /authorize
	// behind it. Its query, its headers X-Realtime-Action, X-Realtime-Channel and
	// X-Realtime-User, and the placeholders {realtime.action}, {realtime.channel} and
	// {realtime.user} say what it is about. The headers Cookie and Authorization are those
	// of the client. A status of 2xx means yes, 401 that the client has to sign in, 5xx
	// that there is no answer, and everything else no. Required.
	//
	// In the path of a rewrite the placeholders are escaped. If the routes use a channel or
	// user there, a value that would be more than a single segment is rejected without
	// asking.
	Routes caddyhttp.RouteList `json:"routes,omitempty"`

	// directives are the routes in the Caddyfile, until [Authorize.ParseRoutes] parses
	// them.
	directives caddyfile.Segment
}

func parseAction(word string) (auth.Action, error) {
	for _, a := range []auth.Action{auth.Connect, auth.Subscribe, auth.Publish} {
		if a.String() == word {
			return a, nil
		}
	}
	return 0, fmt.Errorf("'%s' is none of connect, subscribe, publish", word)
}

// Ask returns what the app is asked, with the default filled in.
func (c *Authorize) Ask() (set auth.Action, err error) {
	for _, word := range c.On {
		a, err := parseAction(word)
		switch {
		case err != nil:
			return 0, err
		case set&a != 0:
			return 0, fmt.Errorf("'%s' is repeated", word)
		}
		set |= a
	}
	if set == 0 {
		set = auth.Connect | auth.Subscribe | auth.Publish
	}
	return set, nil
}

// Check reports what is wrong with the options beside [Authorize.On].
func (c *Authorize) Check() error {
	switch {
	case len(c.Routes) == 0:
		return errors.New("there are no routes that could answer")
	case c.Timeout < 0:
		return errors.New("the timeout is negative")
	}
	return nil
}
