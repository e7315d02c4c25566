package redis

import (
	"context"
	"strings"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// primary is the way to the server that has the keys of a shard.
type primary interface {
	// client gives the pool for commands, whose address and dialer serve for the
	// subscribed connection as well. It may be another one each time.
	client(ctx context.Context) (*goredis.Client, error)
	// follow makes a pipeline for commands that a server has referred to another one.
	redirectPipeline() goredis.Pipeliner
	// doubt is told that the server did not do what a primary does. It does not block.
	refreshSlots()
	// sharded reports that the server is part of a cluster, whose Pub/Sub is to be
	// used that stays within a slot.
	usesShardedPubSub() bool
	close()
}

// single is a server of its own, or the primary that Sentinels name, to which the
// dialer of the pool finds the way.
type knownPrimary struct{ pool *goredis.Client }

func (s knownPrimary) client(context.Context) (*goredis.Client, error) { return s.pool, nil }

func (s knownPrimary) redirectPipeline() goredis.Pipeliner { return s.pool.Pipeline() }

func (s knownPrimary) refreshSlots() {}

func (s knownPrimary) usesShardedPubSub() bool { return false }

func (s knownPrimary) close() { _ = s.pool.Close() } // of connections that may be broken

// dialled makes the pool of the commands.
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
		PoolSize: maxSenders, PipelinePoolSize: -1, MaintNotificationsConfig: noMaintNotifications(),
		Dialer: dialChecked(o.Timeout, o.TLS),
	}
}

func noMaintNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
