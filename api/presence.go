package api

import (
	"encoding/json"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

const (
	usualMembers = 100
	maxMembers   = 1000
)

// member describes one member of a room.
type member struct {
	ID     string          `json:"id"`
	Status string          `json:"status"`
	Info   json.RawMessage `json:"info,omitempty"`
	// LastSeen is when the last connection of an offline member ended, in milliseconds
	// since 1970.
	LastSeen int64 `json:"lastSeen,omitempty"`
}

// offline is the status of members that have left.
const offline = "offline"

// members is GET /channels/{channel}/presence.
func members(c *call) *protocol.Error {
	query := c.r.URL.Query()
	count, e := flag(query, "count", false)
	if e != nil {
		return e
	}
	q, e := presenceQuery(query)
	if e != nil {
		return e
	}
	if count {
		q.Limit = 0
	}
	page, e := c.o.Registry.Presence.Members(c.r.Context(), c.o.Caller, c.name, q)
	if e != nil {
		return e
	}
	if count {
		return c.replyValue(presenceCount{page.Count, page.Partial})
	}
	return c.replyValue(presencePage{describeMembers(page.Members), page.More, presenceCount{page.Count, page.Partial}})
}

type presenceCount struct {
	Count int `json:"count"`
	// Partial: only the members of this node are known at the moment.
	Partial bool `json:"partial,omitempty"`
}

type presencePage struct {
	Members []member `json:"members"`
	// More: ask again with `after` set to the last id.
	More bool `json:"more"`
	presenceCount
}

func presenceQuery(query url.Values) (q presence.Query, e *protocol.Error) {
	q.After = query.Get("after")
	if q.Limit, e = limit(query, usualMembers, maxMembers); e != nil {
		return q, e
	}
	q.Offline, e = flag(query, "offline", true)
	return q, e
}

func describeMembers(list []presence.Listed) []member {
	described := make([]member, len(list))
	for i, m := range list {
		described[i] = describeMember(m)
	}
	return described
}

func describeMember(m presence.Listed) member {
	d := member{ID: m.Key, Status: m.Status}
	if m.Info != "" {
		d.Info = json.RawMessage(m.Info)
	}
	switch {
	case !m.LastSeen.IsZero():
		d.Status, d.LastSeen = offline, m.LastSeen.UnixMilli()
	case d.Status == "":
		d.Status = presence.Online
	}
	return d
}
