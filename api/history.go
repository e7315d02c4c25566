package api

import (
	"net/url"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// history is GET /channels/{channel}/messages.
func history(c *call) *protocol.Error {
	query := c.r.URL.Query()
	q := protocol.History{Channel: c.name}
	var e *protocol.Error
	if q.Limit, e = limit(query, protocol.DefaultHistory, protocol.MaxHistory); e != nil {
		return e
	}
	if q.Since, e = since(query); e != nil {
		return e
	}
	page, e := c.o.Registry.Publishing.History(c.r.Context(), c.o.Caller, q)
	if e != nil {
		return e
	}
	body, e := c.buffer(pageSize(page))
	if e != nil {
		return e
	}
	c.write(protocol.HistoryReply{Channel: c.name, Page: page}.AppendPayload(body))
	return nil
}

// pageSize estimates the length of a page's text.
func pageSize(page hub.HistoryPage) int {
	const around = 256 // what stands around a content
	n := around
	for _, m := range page.Messages {
		n += around + len(m.Content) + len(m.Tags)
	}
	return n
}

// since returns the position after which messages are wanted, or nil for the newest
// messages.
func since(query url.Values) (*hub.Position, *protocol.Error) {
	epoch, offset, anchor := query.Get("epoch"), query.Get("offset"), query.Get("anchor")
	if epoch == "" && offset == "" && anchor == "" {
		return nil, nil
	}
	p, e := protocol.ParsePosition(epoch, offset, anchor)
	return &p, e
}
