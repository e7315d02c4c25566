package redis

import (
	"fmt"
	"io"
	"sync"

	"github.com/redis/go-redis/v9/logging"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Client is a node's access to Redis: one shard, or several shards that divide the channels
// among them. Make one with [Open].
type Client struct {
	// Set by Open.
	shards  []*shard
	layouts *layouts
	shared  io.Closer // what the shards share; closed after them; nil: nothing
}

// quiet keeps go-redis from writing to standard error. go-redis also returns as an error what
// it would write.
var quiet sync.Once

// Open starts a node's connections. It does not wait for Redis, and does not fail when Redis is
// away, because Redis may come back.
func Open(o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	quiet.Do(logging.Disable)
	o = o.withDefaults()
	c, node := new(Client), history.NewEpoch()
	if len(o.Cluster) > 0 {
		cluster := newClusterPools(o)
		c.shared = cluster
		for _, o := range o.perPartition() {
			c.shards = append(c.shards, newShard(o, node, slotPrimary{cluster, o.Prefix}))
		}
	} else {
		for _, o := range o.perShard() {
			c.shards = append(c.shards, newShard(o, node, knownPrimary{newPool(o)}))
		}
	}
	c.layouts = newLayouts(o, c.shards, node)
	return c, nil
}

// shardIndex returns the index of the shard that has a channel.
func (c *Client) shardIndex(channel string) int { return jumpHash(channel, len(c.shards)) }

// Broker starts the broker of this node, which delivers to sink. Close it before the client.
// Its optional methods are the same for one shard and for several shards.
func (c *Client) Broker(sink hub.Sink) hub.Broker {
	if len(c.shards) == 1 {
		return c.shards[0].startBroker(sink)
	}
	bs := brokers{c: c}
	for _, s := range c.shards {
		bs.parts = append(bs.parts, s.startBroker(sink))
	}
	return bs
}

// Presence starts the presence of this node, which delivers to sink. Close it before the
// client. The node has a lease in every shard.
func (c *Client) Presence(sink presence.Sink) presence.Store {
	if len(c.shards) == 1 {
		return c.shards[0].startPresence(sink)
	}
	ps := presences{c: c}
	for _, s := range c.shards {
		ps.parts = append(ps.parts, s.startPresence(sink))
	}
	return ps
}

// Documents starts the documents of this node, which delivers to sink. Close it before the
// client.
func (c *Client) Documents(sink document.Sink) document.Store {
	if len(c.shards) == 1 {
		return c.shards[0].startDocuments(sink)
	}
	ds := documentStores{c: c}
	for _, s := range c.shards {
		ds.parts = append(ds.parts, s.startDocuments(sink))
	}
	return ds
}

// Control starts the control of this node, which passes the orders of other nodes to an
// executor. Close it before the client. Orders are in the first shard.
func (c *Client) Control(e hub.Executor) *Control { return c.shards[0].startControl(e) }

// Close ends the goroutines and connections. Close the broker, the presence, the documents and
// the control first. Closing again does nothing.
func (c *Client) Close() error {
	c.layouts.close()
	_ = inParallel(c.shards, func(s *shard) error { s.close(); return nil })
	if c.shared != nil {
		_ = c.shared.Close() // the connections may be broken
	}
	return nil
}
