package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// PusherEvents are the events that [PusherWebhooks] can report, in the order of the documentation.
var PusherEvents = []string{
	"channel_occupied", "channel_vacated", "member_added", "member_removed", "client_event", "cache_miss",
	"subscription_count",
}

// PusherWebhooks notifies the app in the form of Pusher of what happens in its channels. Events are
// sent in batches, signed with the first key and its secret, and sent again for five minutes until
// the app accepts them. `channel_vacated` and `member_removed` are held back for 3 seconds and are
// dropped if the opposite follows.
type PusherWebhooks struct {
	// Events names what the app is notified of: `channel_occupied`, `channel_vacated`,
	// `member_added`, `member_removed`, `client_event`, `cache_miss` and `subscription_count`. Required.
	Events []string `json:"events,omitempty"`

	// Routes take the events, as POST requests for the route's path with /webhooks behind it. A
	// status of 2xx means that the app has the events, 410 that it wants no more of them until the
	// configuration is loaded again. Required.
	Routes caddyhttp.RouteList `json:"routes,omitempty"`

	// directives are the routes in the Caddyfile, until [Pusher.ParseRoutes] parses them.
	directives caddyfile.Segment
}

// check finds events that there are not.
func (c *PusherWebhooks) check() error {
	if c == nil {
		return nil
	}
	if len(c.Events) == 0 {
		return errors.New("'webhooks' names no event")
	}
	for i, word := range c.Events {
		switch {
		case !slices.Contains(PusherEvents, word):
			return fmt.Errorf("'webhooks' has '%s', which is none of %s", word, strings.Join(PusherEvents, ", "))
		case slices.Contains(c.Events[:i], word):
			return fmt.Errorf("'webhooks' repeats '%s'", word)
		}
	}
	return nil
}

func parseWebhooks(d *caddyfile.Dispenser, args []string, c *Pusher) (err error) {
	c.Webhooks = &PusherWebhooks{Events: args}
	if err = c.Webhooks.check(); err != nil {
		return err
	}
	c.Webhooks.directives, err = parseDirectives(d, "webhooks", block.Options[*PusherWebhooks]{}, c.Webhooks)
	return err
}

// ParseRoutes parses the directives in the block `webhooks`, if there is one. That takes what is
// known only where the directive itself is parsed.
func (c *Pusher) ParseRoutes(h httpcaddyfile.Helper) (err error) {
	if c.Webhooks != nil {
		c.Webhooks.Routes, err = parseRoutes(h, c.Webhooks.directives)
	}
	return err
}
