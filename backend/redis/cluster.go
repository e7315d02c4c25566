package redis

import (
	"context"
	"fmt"
	"slices"

	goredis "github.com/redis/go-redis/v9"
)

// newClusterPools makes the connection pools of a cluster's servers. go-redis adds a pool when
// it learns of a server.
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

// maxClusterPool bounds the connections to one server that has many partitions.
const maxClusterPool = 64

// slotPrimary reaches the primary that has the slot of a partition. All partitions share the
// pools; the client closes them.
//
// Commands go to that primary directly, without retries, because go-redis would also retry what
// may have been executed. A reply that names another server means that the command was not
// executed. Only such commands go through the cluster's own pipeline.
type slotPrimary struct {
	pools   *goredis.ClusterClient
	slotKey string // any key in the slot
}

func (p slotPrimary) client(ctx context.Context) (*goredis.Client, error) {
	return p.pools.MasterForKey(ctx, p.slotKey)
}

func (p slotPrimary) redirectPipeline() goredis.Pipeliner { return p.pools.Pipeline() }

// refreshSlots reloads the map of slots from the cluster, at most five times a second.
func (p slotPrimary) refreshSlots() { p.pools.ReloadState(context.Background()) }

func (p slotPrimary) usesShardedPubSub() bool { return true }

func (p slotPrimary) close() {}

// clusterSlots is the number of slots of a Redis Cluster.
const clusterSlots = 16384

// perPartition returns the options of each partition of a cluster. The prefix of a partition
// ends in its tag in braces. These are the first braces of every name, so all keys and Pub/Sub
// channels of a partition are in one slot.
func (o Options) perPartition() []Options {
	each := make([]Options, o.Partitions)
	for i, tag := range partitionTags(o.Partitions) {
		each[i] = o
		each[i].Prefix += "{" + tag + "}"
	}
	return each
}

// partitionTags returns n tags. The slot of tag i is in the i-th of n equal parts of all slots.
// A server usually has one range of slots, so servers get about equal numbers of partitions.
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

// crc16 is the checksum that decides the slot of a key in a Redis Cluster: CRC-16/XMODEM.
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
