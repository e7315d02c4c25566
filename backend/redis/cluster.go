package redis

import (
	"context"
	"fmt"
	"slices"

	goredis "github.com/redis/go-redis/v9"
)

// newCluster makes the pools of the servers of a cluster, as they become known.
func newClusterPools(o Options) *goredis.ClusterClient {
	p := plainOptions(o)
	return goredis.NewClusterClient(&goredis.ClusterOptions{
		Addrs:    slices.Clone(o.Cluster), // go-redis appends to them
		Username: p.Username, Password: p.Password, TLSConfig: p.TLSConfig,
		Protocol: p.Protocol, DisableIdentity: p.DisableIdentity,
		MaxRetries: p.MaxRetries, DialerRetries: p.DialerRetries,
		DialTimeout: p.DialTimeout, ReadTimeout: p.ReadTimeout, WriteTimeout: p.WriteTimeout, PoolTimeout: p.PoolTimeout,
		PoolSize: min(o.Partitions*maxSenders, maxClusterPool), PipelinePoolSize: -1,
		MaintNotificationsConfig: noMaintNotifications(), Dialer: p.Dialer,
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
type slotPrimary struct {
	pools   *goredis.ClusterClient
	slotKey string // of the slot
}

func (p slotPrimary) client(ctx context.Context) (*goredis.Client, error) {
	return p.pools.MasterForKey(ctx, p.slotKey)
}

func (p slotPrimary) redirectPipeline() goredis.Pipeliner { return p.pools.Pipeline() }

// doubt has it asked who has which slot now, at most five times a second.
func (p slotPrimary) refreshSlots() { p.pools.ReloadState(context.Background()) }

func (p slotPrimary) usesShardedPubSub() bool { return true }

func (p slotPrimary) close() {}

// slots is how many a Redis Cluster has.
const clusterSlots = 16384

// partitions gives the options of each partition of a cluster. All that is kept of
// one has its tag in the name, before anything else in braces, so that it is in one
// slot: rooms, leases, and channels of Pub/Sub.
func (o Options) perPartition() []Options {
	each := make([]Options, o.Partitions)
	for i, tag := range partitionTags(o.Partitions) {
		each[i] = o
		each[i].Prefix += "{" + tag + "}"
	}
	return each
}

// tags are texts of which the slot of the i-th is in the i-th of n equal parts of
// all slots. Servers mostly have a range of them each, and so get equal numbers of
// partitions.
func partitionTags(n int) []string {
	tags := make([]string, n)
	for i := range tags {
		for k := 0; tags[i] == ""; k++ {
			tag := fmt.Sprintf("p%d.%d", i, k)
			if int(crc16(tag)%clusterSlots)*n/clusterSlots == i {
				tags[i] = tag
			}
		}
	}
	return tags
}

// crc16 is the checksum by which Redis Cluster gives keys their slots: CRC-16/XMODEM.
func crc16(s string) (crc uint16) {
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			if crc <<= 1; carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
