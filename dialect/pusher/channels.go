package pusher

import (
	"context"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// maxListed bounds the channels and members of one answer.
const maxListed = 10_000

// pageOfChannels is how many channels are read at once from all nodes.
const pageOfChannels = 1000

// channels is GET /apps/ID/channels.
func (c *call) channels() *protocol.Error {
	prefix, info := c.query["filter_by_prefix"], c.query["info"]
	if wants(info, "user_count") && !isPresence(prefix) {
		return bad("user_count is for presence channels; filter_by_prefix must start with presence-")
	}
	all := make(map[string]any)
	q := session.ChannelQuery{Prefix: c.app.Prefix + prefix, Limit: pageOfChannels}
	for len(all) < maxListed {
		page := c.registry.Inspection.Channels(c.r.Context(), q)
		for _, ch := range page.Channels {
			name := strings.TrimPrefix(ch.Channel, c.app.Prefix)
			if valid(name) && ch.Connections > 0 {
				all[name] = attributes(info, ch.Members, ch.Connections)
			}
			q.After = ch.Channel
		}
		if !page.More || len(page.Channels) == 0 {
			break
		}
	}
	return c.ok(map[string]any{"channels": all})
}

// channel is GET /apps/ID/channels/C.
func (c *call) channel(name string) *protocol.Error {
	info := c.query["info"]
	switch {
	case !valid(name):
		return bad("this can not be the name of a channel")
	case wants(info, "user_count") && !isPresence(name):
		return bad("user_count is for presence channels")
	case wants(info, "cache") && !isCache(name):
		return bad("cache is for cache channels")
	}
	connections, members := c.count(c.r.Context(), name)
	answer := attributes(info, &members, connections)
	answer["occupied"] = connections > 0
	if wants(info, "cache") {
		var e *protocol.Error
		if answer["cache"], e = c.cache(name); e != nil {
			return e
		}
	}
	return c.ok(answer)
}

// users is GET /apps/ID/channels/C/users.
func (c *call) users(name string) *protocol.Error {
	if !valid(name) || !isPresence(name) {
		return bad("only presence channels have users")
	}
	type user struct {
		ID string `json:"id"`
	}
	users, q := []user{}, presence.Query{Limit: pageOfChannels}
	for len(users) < maxListed {
		page, e := c.registry.Presence.Members(c.r.Context(), c.caller(), c.app.Prefix+name, q)
		if e != nil {
			return e
		}
		for _, m := range page.Members {
			users = append(users, user{m.Member.Key})
			q.After = m.Member.Key
		}
		if !page.More || len(page.Members) == 0 {
			break
		}
	}
	return c.ok(map[string]any{"users": users})
}

// describe returns what an event asked to know of a channel.
func (c *call) describe(ctx context.Context, name, info string) map[string]any {
	connections, members := c.count(ctx, name)
	if !isPresence(name) {
		return attributes(info, nil, connections)
	}
	return attributes(info, &members, connections)
}

// count returns how many connections and members a channel has on all nodes.
func (c *call) count(ctx context.Context, name string) (connections, members int) {
	room := c.app.Prefix + name
	page := c.registry.Inspection.Channels(ctx, session.ChannelQuery{Prefix: room, Limit: 1})
	if len(page.Channels) > 0 && page.Channels[0].Channel == room {
		connections = page.Channels[0].Connections
	}
	if isPresence(name) {
		if page, e := c.registry.Presence.Members(ctx, c.caller(), room, presence.Query{}); e == nil {
			members = page.Count
		}
	}
	return connections, members
}

// attributes returns the attributes of a channel that info names.
func attributes(info string, members *int, connections int) map[string]any {
	a := make(map[string]any)
	if wants(info, "user_count") && members != nil {
		a["user_count"] = *members
	}
	if wants(info, "subscription_count") {
		a["subscription_count"] = connections
	}
	return a
}

func wants(info, attribute string) bool {
	for word := range strings.SplitSeq(info, ",") {
		if strings.TrimSpace(word) == attribute {
			return true
		}
	}
	return false
}
