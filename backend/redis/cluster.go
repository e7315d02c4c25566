package redis

import (
	"context"
	"slices"

	goredis "github.com/redis/go-redis/v9"
)

// newCluster makes the pools of the servers of a cluster, as they become known.
func newCluster(o Options) *goredis.ClusterClient {
	p := plainOptions(o)
	return goredis.NewClusterClient(&goredis.ClusterOptions{
		Addrs:    slices.Clone(o.Cluster), // go-redis appends to them
		Username: p.Username, Password: p.Password, TLSConfig: p.TLSConfig,
		Protocol: p.Protocol, DisableIdentity: p.DisableIdentity,
		MaxRetries: p.MaxRetries, DialerRetries: p.DialerRetries,
		DialTimeout: p.DialTimeout, ReadTimeout: p.ReadTimeout, WriteTimeout: p.WriteTimeout, PoolTimeout: p.PoolTimeout,
		PoolSize: min(o.Partitions*maxFlights, maxClusterPool), PipelinePoolSize: -1,
		MaintNotificationsConfig: unannounced(), Dialer: p.Dialer,
	})
}

// maxClusterPool bounds the connections to one server, if it has many partitions.
const maxClusterPool = 64

// partition is the way to the primary that has the slot of a partition. The cluster
// is closed by the client, because all partitions share it.
//
// Commands go to that primary directly and are never repeated, because go-redis
// would repeat what may have been executed. What comes back with the address of
// another server was not, and only that goes through the cluster's own pipeline.
type partition struct {
	cluster *goredis.ClusterClient
	key     string // of the slot
}

func (p partition) client(ctx context.Context) (*goredis.Client, error) {
	return p.cluster.MasterForKey(ctx, p.key)
}
func (p partition) follow() goredis.Pipeliner { return p.cluster.Pipeline() }

// doubt has it asked who has which slot now, at most five times a second.
func (p partition) doubt()        { p.cluster.ReloadState(context.Background()) }
func (p partition) sharded() bool { return true }
func (p partition) close()        {}

// once is a command that go-redis does not repeat once it may have been executed.
type once struct{ *goredis.Cmd }

// NoRetry is what go-redis asks.
func (once) NoRetry() bool { return true }
