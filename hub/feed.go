package hub

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Pattern is what a subscription to many channels is about.
type Pattern struct {
	// Text names the subscription. No channel has this name.
	Text string
	// Feed is the feed that has the messages of all channels of the pattern.
	Feed string
	// Match reports whether the pattern matches a channel. It must neither block nor call the
	// hub.
	Match func(channel string) bool
}

// feeds has the subscriptions to patterns of this node. All subscriptions to one pattern share a
// room, which has no channel, no history and no positions: it broadcasts what its feed brings.
type feeds struct {
	used atomic.Bool // there ever was a subscription to a pattern

	mu     sync.RWMutex
	byName map[string][]*patternRoom // guarded by mu
}

// patternRoom is the room of a pattern. Its fields are static.
type patternRoom struct {
	*room
	pattern *Pattern
}

// SubscribePattern subscribes a connection to all channels of a pattern. The messages of those
// channels come without positions. A [Gap] with Pattern.Text as its channel takes the place of
// messages that were lost, because the link to the broker was lost or because the client is slow.
// Messages to one member ([Direct]) do not come. Recover and History of o do not matter. Errors are
// those of [Hub.Subscribe].
func (h *Hub) SubscribePattern(ctx context.Context, c *Conn, p *Pattern, o SubscribeOptions) (Subscribed, error) {
	sub := Subscribed{Channel: p.Text}
	broker, ok := h.broker.(FeedBroker)
	if !ok {
		return sub, ErrUnavailable
	}
	s := &subscription{conn: c, channel: p.Text, pattern: p, held: new(held)}
	if o.Selector != nil {
		s.sieve = &sieve{selector: o.Selector}
	}
	if err := c.addSubscription(s); err != nil {
		return sub, err
	}
	return sub, h.start(ctx, s, sub, o, h.enterPattern(ctx, broker, s))
}

// enterPattern adds s to the room of its pattern and waits until the feed is delivered.
func (h *Hub) enterPattern(ctx context.Context, broker FeedBroker, s *subscription) error {
	r, first := h.addToPattern(s)
	if first {
		r.attachFeed(ctx, broker, s.pattern.Feed)
	}
	select {
	case <-r.ready:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attachFeed starts the delivery of a feed to the room of a pattern.
func (r *room) attachFeed(ctx context.Context, broker FeedBroker, feed string) {
	defer close(r.ready)
	r.err = errPanicked // unless the broker returns
	r.err = broker.AttachFeed(context.WithoutCancel(ctx), feed)
	if r.err == nil && !r.markAttached() {
		broker.DetachFeed(feed)
	}
}

// addToPattern adds s to the room of its pattern and reports whether the room is new.
func (h *Hub) addToPattern(s *subscription) (r *room, first bool) {
	f, p := &h.feeds, s.pattern
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, have := range f.byName[p.Feed] {
		if have.pattern.Text == p.Text {
			have.add(s)
			return have.room, false
		}
	}
	r = &room{hub: h, channel: p.Text, delays: h.shard(p.Text).delays, ready: make(chan struct{})}
	r.options.Slow = SlowDropOldest // nothing can be recovered, so a slow client gets a gap
	r.add(s)
	if f.byName == nil {
		f.byName = make(map[string][]*patternRoom)
	}
	f.byName[p.Feed] = append(f.byName[p.Feed], &patternRoom{r, p})
	f.used.Store(true)
	return r, true
}

// leavePattern is leaveRoom for a subscription to a pattern.
func (h *Hub) leavePattern(s *subscription) {
	if h.removeFromPattern(s) {
		h.broker.(FeedBroker).DetachFeed(s.pattern.Feed)
	}
}

// removeFromPattern removes s from the room of its pattern, and the room with its last member.
// attached reports that the caller must detach the feed.
func (h *Hub) removeFromPattern(s *subscription) (attached bool) {
	f, feed := &h.feeds, s.pattern.Feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.room == nil {
		return false
	}
	empty, attached, _ := s.room.remove(s)
	if !empty {
		return false
	}
	left := slices.DeleteFunc(f.byName[feed], func(r *patternRoom) bool { return r.room == s.room })
	if f.byName[feed] = left; len(left) == 0 {
		delete(f.byName, feed)
	}
	return attached
}

// Feed broadcasts a message of a feed to the subscriptions whose pattern matches. The broker calls
// it. The copy has no position, because the positions of different channels have no order.
func (h *Hub) Feed(feed string, m *Message) {
	f := &h.feeds
	if !f.used.Load() {
		return
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var own []*Message
	for _, r := range f.byName[feed] {
		if !r.pattern.Match(m.Channel) {
			continue
		}
		if own == nil {
			own = []*Message{{
				Channel: m.Channel, Content: m.Content, Event: m.Event, Sender: m.Sender,
				Tags: m.Tags, Time: m.Time, Volatile: m.Volatile,
			}}
		}
		r.broadcast(own)
	}
}

// FeedLost sends a gap to all subscriptions of a feed. The broker calls it.
func (h *Hub) FeedLost(feed string) {
	h.feeds.mu.RLock()
	defer h.feeds.mu.RUnlock()
	for _, r := range h.feeds.byName[feed] {
		r.skip(Position{})
	}
}

// FeedOf returns the feed of a subscription to a pattern; empty if the connection has none.
func (h *Hub) FeedOf(c *Conn, pattern string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.subscription(pattern); s != nil && s.pattern != nil {
		return s.pattern.Feed
	}
	return ""
}
