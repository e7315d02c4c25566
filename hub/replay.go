package hub

import (
	"context"
	"slices"
)

// Replay sends a connection the messages of a room between a position and the one at which its
// subscription started, which must have [SubscribeOptions.Track]. They come behind what the
// connection was sent meanwhile. except are the ids of connections, see
// [SubscribeOptions.Successor]. Replay reports whether these are all the messages; if they are not,
// it sends none.
func (h *Hub) Replay(ctx context.Context, c *Conn, channel string, since Position, except []string) (bool, error) {
	s, start := c.tracked(channel)
	if s == nil || !since.Before(start) {
		return s != nil && since.Epoch == start.Epoch && since.Offset == start.Offset, nil
	}
	c.succeed(except)
	page, err := h.broker.History(ctx, channel, s.room.currentOptions().Retention, HistoryQuery{Since: &since, Limit: maxRecover})
	if err != nil {
		return false, err
	}
	messages := page.Messages
	whole := !page.Lost && (!page.More || len(messages) > 0 && !messages[len(messages)-1].Position.Before(start))
	messages = slices.DeleteFunc(slices.Clone(messages), func(m *Message) bool { return start.Before(m.Position) })
	messages = c.without(messages, except)
	whole = whole && h.replayable(messages)
	h.stats.recovery(whole)
	if !whole {
		return false, nil
	}
	if err := c.waitForQueue(ctx, nil); err != nil {
		return false, err
	}
	return c.replay(s, messages), nil
}

// tracked returns the live subscription of a channel and where it started; nil if there is none
// that is tracked.
func (c *Conn) tracked(channel string) (*subscription, Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.subscription(channel); s != nil && s.track != nil && s.phase == live {
		return s, s.track.start
	}
	return nil, Position{}
}

// replay queues messages of the past for a subscription, if it is still there.
func (c *Conn) replay(s *subscription, messages []*Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || s.phase != live {
		return false
	}
	if s.sieve != nil {
		messages = Selected(messages, s.sieve.selector)
	}
	for _, m := range messages {
		c.reply(m)
	}
	c.pump()
	return true
}

// without returns the messages that leave out none of these connections, and not c by one of several
// names.
func (c *Conn) without(messages []*Message, except []string) []*Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	leaves := func(m *Message) bool {
		if m.Except == "" {
			return false
		}
		return slices.Contains(except, m.Except) || m.Except[:1] == exceptMark && c.excepted(m.Except)
	}
	if !slices.ContainsFunc(messages, leaves) {
		return messages
	}
	return slices.DeleteFunc(slices.Clone(messages), leaves)
}
