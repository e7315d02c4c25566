package api

import (
	"net/url"
	"strconv"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// history is GET /channels/{channel}/messages.
func history(c *call) *protocol.Error {
	query := c.r.URL.Query()
	q := protocol.History{Channel: c.channel}
	var e *protocol.Error
	if q.Limit, e = limit(query, protocol.DefaultHistory, protocol.MaxHistory); e != nil {
		return e
	}
	if q.Since, e = since(query); e != nil {
		return e
	}
	page, e := c.o.Registry.History(c.r.Context(), c.o.Caller, q)
	if e != nil {
		return e
	}
	c.reply(protocol.HistoryReply{Channel: c.channel, Page: page}.AppendPayload(nil))
	return nil
}

// since is the position after which messages are asked for; nil for the newest.
func since(query url.Values) (*hub.Position, *protocol.Error) {
	epoch, offset, anchor := query.Get("epoch"), query.Get("offset"), query.Get("anchor")
	if epoch == "" && offset == "" && anchor == "" {
		return nil, nil
	}
	p, e := protocol.ParsePosition(epoch, offset, anchor)
	return &p, e
}

// limit reads the parameter by which a client bounds a page.
func limit(query url.Values, usual, most int) (int, *protocol.Error) {
	s := query.Get("limit")
	if s == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		return 0, protocol.Errorf(protocol.InvalidMessage, "limit %s is not an integer from 0 to %d", protocol.Quote(s), most)
	}
	return n, nil
}
