package redis

import (
	"context"
	"strings"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// primary reaches the server that has the keys of a shard.
type primary interface {
	// client returns the pool for commands. Its address and dialer serve for the subscribed
	// connection as well. It may be another pool each time.
	client(ctx context.Context) (*goredis.Client, error)
	// redirectPipeline makes a pipeline that sends commands to the server that another server
	// named.
	redirectPipeline() goredis.Pipeliner
	// refreshSlots is called when the server did not act as a primary. It does not block.
	refreshSlots()
	// usesShardedPubSub reports whether the server is part of a cluster. Then the node uses the
	// Pub/Sub that stays in a slot.
	usesShardedPubSub() bool
	close()
}

// knownPrimary is a single server, or the primary that the Sentinels name. With Sentinels the
// dialer of the pool asks for the address.
type knownPrimary struct{ pool *goredis.Client }

func (s knownPrimary) client(context.Context) (*goredis.Client, error) { return s.pool, nil }

func (s knownPrimary) redirectPipeline() goredis.Pipeliner { return s.pool.Pipeline() }

func (s knownPrimary) refreshSlots() {}

func (s knownPrimary) usesShardedPubSub() bool { return false }

func (s knownPrimary) close() { _ = s.pool.Close() } // the connections may be broken

// newPool makes the pool for commands.
func newPool(o Options) *goredis.Client {
	if len(o.Sentinels) > 0 {
		return goredis.NewFailoverClient(&goredis.FailoverOptions{
			MasterName: o.Master, SentinelAddrs: o.Sentinels,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
			Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
			Protocol: 2, DisableIdentity: true, MaxRetries: -1,
			DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
			PoolSize: maxSenders, Dialer: dialChecked(o.Timeout, o.TLS),
		})
	}
	return goredis.NewClient(plainOptions(o))
}

// plainOptions returns the options for a server at a known address.
func plainOptions(o Options) *goredis.Options {
	network := "tcp"
	if strings.HasPrefix(o.Address, "/") {
		network = "unix"
	}
	return &goredis.Options{
		Network: network, Addr: o.Address,
		Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
		// Nothing here needs version 3, and the parser of version 2 is simpler.
		Protocol: 2,
		// A failed CLIENT SETINFO could shift the replies of a connection.
		DisableIdentity: true,
		// A command whose outcome is unknown may have been executed. This package repeats only
		// those that are harmless twice.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
		PoolSize: maxSenders, PipelinePoolSize: -1, MaintNotificationsConfig: noMaintNotifications(),
		Dialer: dialChecked(o.Timeout, o.TLS),
	}
}

func noMaintNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
