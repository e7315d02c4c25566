package redis

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// shard is what one node has of one Redis: where commands go, the subscribed
// connection, and the names of what is kept there. All of a room is in one shard.
type shard struct {
	// Set when it is made.
	o     Options
	names names
	node  string // names this node
	redis *goredis.Client
	batch *batcher
	link  *link
	log   *slog.Logger

	close  sync.Once
	ctx    context.Context // over when the shard is ended
	cancel context.CancelFunc
	wg     sync.WaitGroup // all goroutines but those of batch
}

// newShard starts what connects to a Redis. It does not wait for it.
func newShard(o Options, node string) *shard {
	s := &shard{o: o, names: names{o.Prefix}, node: node, log: o.Logger}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.redis = dialled(o)
	s.batch = newBatcher(s.redis, o.Timeout)
	s.link = newLink(s)
	s.wg.Go(s.link.run)
	s.wg.Go(s.link.sweepUntilClosed)
	return s
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

// end ends the goroutines and connections. Ending it again does nothing.
func (s *shard) end() {
	s.close.Do(func() {
		s.cancel()
		s.link.close()
		s.wg.Wait()
		s.batch.close()
		_ = s.redis.Close() // of connections that may be broken
	})
}

// pause waits, unless the shard is ended meanwhile.
func (s *shard) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
