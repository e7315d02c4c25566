package pusher

import (
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// searched is how many retained messages of a cache channel are searched for the latest event of
// the app. What native clients publish is among them.
const searched = 10

// cached returns what a new subscriber of a cache channel is sent: the latest event of the app, or that
// there is none.
func cached(name string, messages []*hub.Message) hub.Event {
	if m := latestEvent(messages); m != nil {
		return m
	}
	return frame{event: "pusher:cache_miss", channel: name, data: "{}"}
}

// latestEvent returns the latest event of the app; nil if there is none.
func latestEvent(messages []*hub.Message) *hub.Message {
	for _, m := range slices.Backward(messages) {
		if m.Sender == "" && !isInternal(m.Event) {
			return m
		}
	}
	return nil
}

// cache returns what the attribute `cache` says of a channel. There is no `ttl` where the room keeps
// messages as long as there is space for them.
func (c *call) cache(name string) (any, *protocol.Error) {
	channel := c.app.Prefix + name
	page, e := c.registry.Publishing.History(c.r.Context(), c.caller(), protocol.History{Channel: channel, Limit: searched})
	if e != nil {
		return nil, e
	}
	m := latestEvent(page.Messages)
	if m == nil {
		return nil, nil
	}
	cached := map[string]any{"data": string(m.Content)}
	if kept := c.registry.Hub().Settings().Room(channel).Retention.TTL; kept > 0 {
		cached["ttl"] = max(0, int((kept - time.Since(m.Time)).Seconds()))
	}
	return cached, nil
}
