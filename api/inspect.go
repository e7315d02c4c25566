package api

import (
	"net/http"
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// page is how a list goes on.
type page struct {
	// More: ask again with `after` set to Next.
	More bool   `json:"more"`
	Next string `json:"next,omitempty"`
}

// pageQuery reads what every list has: the length of the page, and where it starts.
func pageQuery(query url.Values) (after string, n int, e *protocol.Error) {
	n, e = limit(query, usualChannels, maxChannels)
	return query.Get("after"), n, e
}

// listConnections is GET /connections.
func listConnections(c *call) *protocol.Error {
	query := c.r.URL.Query()
	q := session.ConnectionQuery{
		Address: query.Get("address"), Channel: query.Get("channel"), Transport: query.Get("transport"), Node: query.Get("node"),
		Sort: "queue",
	}
	if query.Has("sort") {
		q.Sort = query.Get("sort")
	}
	if query.Has("user") {
		user := query.Get("user")
		q.User = &user
	}
	p, e := c.connections(q)
	if e != nil {
		return e
	}
	return c.replyValue(struct {
		Connections []session.ConnectionInfo `json:"connections"`
		page
		session.Coverage
	}{p.Connections, page{p.Next != "", p.Next}, p.Coverage})
}

// connections asks for a page of connections. The page is never null in JSON.
func (c *call) connections(q session.ConnectionQuery) (p session.ConnectionPage, e *protocol.Error) {
	if e = c.appOnly(); e != nil {
		return p, e
	}
	if q.After, q.Limit, e = pageQuery(c.r.URL.Query()); e != nil {
		return p, e
	}
	if p, e = c.o.Registry.Inspection.Connections(c.r.Context(), q); p.Connections == nil {
		p.Connections = []session.ConnectionInfo{}
	}
	return p, e
}

// getConnection is GET /connections/{connection}.
func getConnection(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	info, found, coverage := c.o.Registry.Inspection.Connection(c.r.Context(), c.name)
	if !found {
		detail := "no node has this connection"
		if coverage.Partial {
			detail = "no node that answered has this connection, but not all of them did"
		}
		problem.WriteStatus(c.w, http.StatusNotFound, detail)
		return nil
	}
	return c.replyValue(struct {
		session.ConnectionInfo
		session.Coverage
	}{info, coverage})
}

// getUser is GET /users/{user}.
func getUser(c *call) *protocol.Error {
	p, e := c.connections(session.ConnectionQuery{User: &c.name, Sort: "age"})
	if e != nil {
		return e
	}
	return c.replyValue(struct {
		User        string                   `json:"user"`
		Online      bool                     `json:"online"`
		Connections []session.ConnectionInfo `json:"connections"`
		page
		session.Coverage
	}{c.name, p.Any, p.Connections, page{p.Next != "", p.Next}, p.Coverage})
}

// getStats is GET /stats.
func getStats(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	return c.replyValue(c.o.Registry.Inspection.Stats(c.r.Context()))
}
