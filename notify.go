package realtime

import (
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/access"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/dialect/pusher"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/notify"
)

// routeNotify is the option `notify` of a hub.
type routeNotify struct {
	config *config.Notify
	place  string // of the route that has it
	sink   notify.Sink
	bounds notify.Bounds
}

// notify provisions the option of a route, if the route has it.
func (a *App) notify(ctx caddy.Context, h *Handler, place string) error {
	if h.Notify == nil {
		return nil
	}
	u := a.hub(h.hubName())
	if u.notify != nil {
		return fmt.Errorf("'notify' stands in %s and in %s, and the hub '%s' may have one; remove it from one of them", u.notify.place, place, h.hubName())
	}
	n := &routeNotify{config: h.Notify, place: place}
	var err error
	if n.sink, n.bounds, err = access.NewNotify(ctx, h.Path, h.Notify); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	u.notify = n
	return nil
}

// checkRooms returns an error if a pattern matches no channel of the hub.
func (n *routeNotify) checkRooms(hub *config.Hub, kinds []config.Kinds) error {
	if n == nil || hub == nil {
		return nil
	}
	return n.config.CheckRooms(hub, kinds...)
}

// apply adds the option to the settings of a hub.
func (n *routeNotify) apply(s *node.Settings) {
	if n != nil {
		s.Sinks, s.Buffer = append(s.Sinks, n.sink), n.bounds
	}
}

// addWebhooks adds the sink of an app that wants webhooks.
func (u *hubUse) addWebhooks(ctx caddy.Context, path string, c *config.Pusher, app *pusher.App, place string) error {
	if c.Webhooks == nil {
		return nil
	}
	if other := u.webhooks[c.App]; other != "" {
		return fmt.Errorf("'webhooks' stands in %s and in %s, which share a hub; remove it from one of them", other, place)
	}
	sink := app.Webhooks(c.Webhooks.Events)
	var err error
	if sink.Post, err = access.NewWebhooks(ctx, path, c.Webhooks); err != nil {
		return fmt.Errorf("webhooks: %w", err)
	}
	u.webhooks[c.App], u.sinks = place, append(u.sinks, sink)
	return nil
}

// addCounted adds the channels of an app whose subscriptions are counted, and whether users are.
func (u *hubUse) addCounted(c *config.Pusher, app *pusher.App) {
	var webhooks []string
	if c.Webhooks != nil {
		webhooks = c.Webhooks.Events
	}
	u.watchlists = u.watchlists || c.Watchlists
	if counted := app.Counted(webhooks); counted != nil {
		u.counted = append(u.counted, counted)
	}
}

// applyCounted adds what is counted to the settings of a hub.
func (u *hubUse) applyCounted(s *node.Settings) {
	s.Session.Watchlists = u.watchlists
	if counted := u.counted; len(counted) > 0 {
		s.Session.Counted = func(channel string) bool {
			return slices.ContainsFunc(counted, func(has func(string) bool) bool { return has(channel) })
		}
	}
}
