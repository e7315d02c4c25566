package redis

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/caddy-realtime/caddy-realtime/history"
)

// Client is what one node has of a Redis. Make one with [Open].
type Client struct {
	// Set by Open.
	o     Options
	names names
	node  string // names this node; another one each time
	redis *goredis.Client
	batch *batcher
	link  *link
	log   *slog.Logger

	close  sync.Once
	ctx    context.Context // over when the client is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup // all goroutines but those of batch
}

// quiet keeps go-redis from writing to the standard error by itself; whatever it
// has to say comes back as an error too.
var quiet sync.Once

// Open starts a node's connections. It does not wait for Redis and does not fail
// because there is none: that may change.
func Open(o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	quiet.Do(logging.Disable)
	o = o.withDefaults()
	c := &Client{o: o, names: names{o.Prefix}, node: history.NewEpoch(), log: o.Logger}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.redis = dialled(o)
	c.batch = newBatcher(c.redis, o.Timeout)
	c.link = newLink(c)
	c.wg.Go(c.link.run)
	c.wg.Go(c.link.sweepUntilClosed)
	return c, nil
}

// dialled makes the pool of the commands.
func dialled(o Options) *goredis.Client {
	if len(o.Sentinels) > 0 {
		return goredis.NewFailoverClient(&goredis.FailoverOptions{
			MasterName: o.Master, SentinelAddrs: o.Sentinels,
			Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
			Protocol: 2, DisableIdentity: true, MaxRetries: -1,
			DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
			PoolSize: maxFlights,
		})
	}
	return goredis.NewClient(plainOptions(o))
}

// plainOptions are for a server at a known address.
func plainOptions(o Options) *goredis.Options {
	network := "tcp"
	if strings.HasPrefix(o.Address, "/") {
		network = "unix"
	}
	return &goredis.Options{
		Network: network, Addr: o.Address,
		Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
		// Nothing here needs more, and it is the simpler parser.
		Protocol: 2,
		// Without it a failed CLIENT SETINFO could shift the replies of a connection.
		DisableIdentity: true,
		// A command whose outcome is unknown may have been executed. Only those that
		// are harmless twice are repeated, by this package.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
		PoolSize: maxFlights, PipelinePoolSize: -1, MaintNotificationsConfig: unannounced(),
	}
}

func unannounced() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// Close ends the goroutines and connections. Broker and presence are to be closed
// before it. Closing again does nothing.
func (c *Client) Close() error {
	c.close.Do(func() {
		c.cancel()
		c.link.close()
		c.wg.Wait()
		c.batch.close()
		_ = c.redis.Close() // of connections that may be broken
	})
	return nil
}

// pause waits, unless the client is closed meanwhile.
func (c *Client) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// Stats are figures for an operator, since the client was opened.
type Stats struct {
	// Connected tells whether the subscribed connection stands.
	Connected bool
	// Channels is how many channels it is subscribed to or about to be.
	Channels int
	// Connections counts how often it was established, and Silent how often it was
	// given up because it brought nothing any more.
	Connections, Silent uint64
	// Repairs counts holes that were found, Repaired the messages that filled them,
	// Lost the holes that could not be filled, Renewed the logs that had gone back in
	// time.
	Repairs, Repaired, Lost, Renewed uint64
}
