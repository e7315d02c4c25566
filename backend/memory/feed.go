package memory

import (
	"context"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

var _ hub.FeedBroker = (*Broker)(nil)

// broadcast delivers a message to its room, and to a feed if there is one. The caller holds the
// lock of the room if the order of the room matters.
func (b *Broker) broadcast(m *hub.Message, feed string) {
	b.sink.Broadcast(m.Channel, m)
	if feed != "" && b.feeds != nil && m.Direct == nil {
		b.feeds.Feed(feed, m)
	}
}

// AttachFeed implements [hub.FeedBroker]. The only node gets all feeds.
func (b *Broker) AttachFeed(ctx context.Context, _ string) error {
	select {
	case <-b.closing:
		return hub.ErrClosed
	default:
		return ctx.Err()
	}
}

// DetachFeed implements [hub.FeedBroker].
func (b *Broker) DetachFeed(string) {}
