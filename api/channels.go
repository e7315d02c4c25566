package api

import "github.com/caddy-realtime/caddy-realtime/protocol"

const (
	usualChannels = 100
	maxChannels   = 1000
)

// channelInfo describes a channel with connections.
type channelInfo struct {
	Channel     string `json:"channel"`
	Connections int    `json:"connections"`
}

// listChannels is GET /channels: the channels with connections to this node. Only
// the app may know them, because the name of a channel can be all that protects
// it.
func listChannels(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	query := c.r.URL.Query()
	n, e := limit(query, usualChannels, maxChannels)
	if e != nil {
		return e
	}
	page, more := c.o.Registry.Hub().Rooms(query.Get("prefix"), query.Get("after"), n)
	list := make([]channelInfo, len(page))
	for i, room := range page {
		list[i] = channelInfo(room)
	}
	return c.replyValue(struct {
		Channels []channelInfo `json:"channels"`
		// More: ask again with `after` set to the last channel.
		More bool `json:"more"`
	}{list, more})
}

func (c *call) appOnly() *protocol.Error {
	switch {
	case c.o.Caller.App:
		return c.o.Caller.Scope.AllowManage()
	case c.o.Caller.User == "":
		return protocol.Errorf(protocol.Unauthorized, "this needs the API key of the app")
	}
	return protocol.Errorf(protocol.Forbidden, "this is for the app, with its API key")
}
