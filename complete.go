package realtime

import (
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-realtime/caddy-realtime/internal/caddyhost"
)

// completeness is when all routes of a configuration are known. Only then can be said
// what is missing. `caddy validate` provisions the apps, in no particular order, and
// starts none of them, so that the last route has to find out that it is the last one.
type completeness struct {
	counted  bool
	expected int // routes with the handler; 0 if it is not known
	arrived  int
	checked  bool
}

// arrive notes that a route is provisioned. The last one checks the hubs.
func (a *App) arrive(ctx caddy.Context) error {
	c := &a.complete
	if !c.counted {
		c.counted, c.expected = true, caddyhost.CountRoutes(ctx, "realtime")
	}
	if c.arrived++; c.arrived != c.expected {
		return nil
	}
	return a.checkHubs()
}

// checkHubs finds what hubs lack. It does so once for each configuration.
func (a *App) checkHubs() error {
	if a.complete.checked {
		return nil
	}
	if err := a.undefined(); err != nil {
		return err
	}
	a.complete.checked = true
	for name, u := range a.hubs {
		u.warn(func(text string, args ...any) { a.log.Warn(text, append(args, "hub", name)...) })
	}
	return nil
}

// warn says what nobody will be able to use.
func (u *hubUse) warn(warn func(text string, args ...any)) {
	if len(u.config.Rooms) == 0 {
		warn("a hub has no rooms, so that nothing can be subscribed to")
	}
	if u.route == "" {
		return // no route leads to the hub
	}
	pattern := u.config.ForUsers()
	if pattern != "" && !u.knows {
		warn("a room is for users, and no route of the hub has 'user', 'token' or 'authorize', so that nobody is one", "room", pattern)
		return
	}
	for _, r := range u.config.Rooms {
		switch {
		case strings.Contains(r.Pattern, "{claim.") && !u.tokens:
			warn("a room is for users with a claim, and no route of the hub has 'token', so that nobody has one", "room", r.Pattern)
		case r.Subscribe == "granted" && !u.grants:
			warn("a room is for clients with a grant, and no route of the hub has 'token' or 'authorize', so that nobody has one", "room", r.Pattern)
		}
	}
}
