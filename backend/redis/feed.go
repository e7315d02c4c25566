package redis

import (
	"context"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// A feed has one Pub/Sub channel in each shard, because the rooms of a feed are spread over all
// shards. The script of a publish also publishes there: the channel, a line end, and then what the
// room gets. Nodes of an earlier version neither publish nor subscribe there.

// feed is the [handler] of a feed in one shard.
type feed struct {
	b    *Broker
	name string

	mu      sync.Mutex // a leaf
	started bool       // the node counts on it: a new subscription means that messages were missed; guarded by mu
}

var (
	_ hub.FeedBroker = (*Broker)(nil)
	_ hub.FeedBroker = brokers{}
)

// AttachFeed implements [hub.FeedBroker]. It succeeds while Redis is away; the feed is lost then,
// until Redis is back.
func (b *Broker) AttachFeed(ctx context.Context, name string) error {
	if err := b.checkOpen(ctx); err != nil {
		return err
	}
	topic := b.c.names.feed(name)
	t, err := b.c.link.acquire(topic, func() handler { return &feed{b: b, name: name} })
	if err != nil {
		return err
	}
	live, err := b.c.link.awaitLive(ctx, t)
	if err != nil {
		b.c.link.release(topic)
		return err
	}
	t.handler.(*feed).start()
	if !live && b.c.link.isLive(topic) {
		b.feedLost(name) // it was confirmed in between, after the wait had ended
	}
	return nil
}

// DetachFeed implements [hub.FeedBroker].
func (b *Broker) DetachFeed(name string) { b.c.link.release(b.c.names.feed(name)) }

func (f *feed) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started = true
}

// subscribed implements [handler].
func (f *feed) subscribed() {
	f.mu.Lock()
	started := f.started
	f.mu.Unlock()
	if started {
		f.b.feedLost(f.name)
	}
}

// receive implements [handler].
func (f *feed) receive(payload string) {
	channel, frame, _ := strings.Cut(payload, "\n")
	m, id, err := parseFrame(channel, frame)
	if err != nil || m.Direct != nil || id.node == f.b.c.node && f.b.fed.cameBack(id) {
		return
	}
	f.b.feedHere(f.name, m)
}

// parseFrame parses what is published in a room. id is zero for a message with a position.
func parseFrame(channel, frame string) (*hub.Message, serial, error) {
	switch {
	case strings.HasPrefix(frame, "e"):
		return parsePlain(channel, frame)
	case strings.HasPrefix(frame, directMark):
		return parseDirect(channel, frame)
	case strings.HasPrefix(frame, volatileMark):
		return parseVolatile(channel, frame)
	}
	m, err := parsePlaced(channel, frame)
	return m, serial{}, err
}

// feedHere delivers a message to the subscriptions of a feed on this node.
func (b *Broker) feedHere(name string, m *hub.Message) {
	if b.feedSink != nil && b.ctx.Err() == nil {
		b.feedSink.Feed(name, m)
	}
}

func (b *Broker) feedLost(name string) {
	if b.feedSink != nil && b.ctx.Err() == nil {
		b.feedSink.FeedLost(name)
	}
}

// feedLocally is deliverLocally for a feed.
func (b *Broker) feedLocally(name string, m *hub.Message, id serial) {
	if name != "" && b.fed.claim(id) {
		b.feedHere(name, m)
	}
}

// feedArgs are the last arguments of a script that publishes: the Pub/Sub channel of the feed, and
// the channel of the message. There are none without a feed.
func (b *Broker) feedArgs(name, channel string) []any {
	if name == "" {
		return nil
	}
	return []any{b.c.names.feed(name), channel}
}

// AttachFeed implements [hub.FeedBroker].
func (bs brokers) AttachFeed(ctx context.Context, name string) error {
	attached := make([]bool, len(bs.parts))
	all := make([]int, len(bs.parts))
	for i := range all {
		all[i] = i
	}
	err := inParallel(all, func(i int) error {
		err := bs.parts[i].AttachFeed(ctx, name)
		attached[i] = err == nil
		return err
	})
	for i := range all {
		if err != nil && attached[i] {
			bs.parts[i].DetachFeed(name)
		}
	}
	return err
}

// DetachFeed implements [hub.FeedBroker].
func (bs brokers) DetachFeed(name string) {
	for _, b := range bs.parts {
		b.DetachFeed(name)
	}
}
