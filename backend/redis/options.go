package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"
)

// Options say where Redis is and how patient to be. The zero value means a Redis at
// [DefaultAddress] and the defaults.
type Options struct {
	// Address is host:port, or the path of a Unix socket, which begins with a slash.
	// Empty means [DefaultAddress].
	Address string
	// Sentinels are the addresses of Sentinels, which are asked for the primary
	// that they know as Master; Address is not used then.
	Sentinels []string
	Master    string
	// SentinelUsername and SentinelPassword authenticate with the Sentinels. Both may
	// be empty.
	SentinelUsername, SentinelPassword string
	// Cluster are the addresses of some servers of a Redis Cluster, from which the
	// others become known; Address is not used then. There is only database 0.
	Cluster []string
	// Partitions is into how many parts the channels are divided in a cluster; 0
	// means [DefaultPartitions]. A part is on one server as a whole, and costs each node a connection
	// and a lease. It is the same number on all nodes.
	Partitions int
	// Shards are the addresses of several independent Redis, which share the
	// channels; Address is not used then. They stand in the same order on all nodes,
	// and a new one comes last, because the place decides over the channels.
	Shards []string
	// Username and Password authenticate with Redis. Both may be empty.
	Username, Password string
	// Database is the number of the database. Pub/Sub knows none, which is why two
	// databases of one Redis need two prefixes as well.
	Database int
	// Prefix begins every key and channel; empty means [DefaultPrefix].
	Prefix string
	// TLS encrypts the connections; nil means plain ones.
	TLS *tls.Config
	// Logger gets what an operator should know; nil means none.
	Logger *slog.Logger

	// Timeout bounds a command, and connecting; 0 means 500 ms.
	Timeout time.Duration
	// Probe is how long the subscribed connection may be silent before it is tried
	// with a message to itself, and then how long that may take; 0 means 2 s.
	Probe time.Duration
	// Check is the time between two comparisons of an idle room's position; 0 means
	// 10 s.
	Check time.Duration
	// Linger is how long a room stays subscribed that nobody is in any more; 0 means
	// 10 s.
	Linger time.Duration
	// KeyWindow is how long an idempotency key is remembered; 0 means 10 minutes.
	KeyWindow time.Duration
	// RoomKeys and Keys are how many idempotency keys of one room and of all rooms of a
	// Redis, or of a partition of a cluster, are remembered. When there are more, the
	// older ones are forgotten, half of them at most. 0 means 20,000 and 200,000.
	RoomKeys, Keys int
	// Lease is after which silence a node counts as dead and its members leave; 0
	// means 10 s. Beat is how often it renews its lease and looks for dead nodes; 0
	// means 1.5 s, and it is at most a third of the lease.
	Lease, Beat time.Duration
}

// Validate finds what can not work, without trying it.
func (o Options) Validate() error {
	for i, a := range append([]string{o.Address}, o.Shards...) {
		if strings.HasPrefix(a, "/") || a == "" && i == 0 {
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			return errors.New("the address is neither host:port nor the path of a socket")
		}
	}
	for i, a := range o.Shards {
		if slices.Contains(o.Shards[:i], a) {
			return errors.New("an address is repeated")
		}
	}
	for _, a := range slices.Concat(o.Sentinels, o.Cluster) {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return errors.New("the address of a Sentinel or of a server of a cluster is host:port")
		}
	}
	switch {
	case o.Database < 0:
		return errors.New("negative database")
	case len(o.Sentinels) > 0 && o.Master == "":
		return errors.New("Sentinels need the name of the master")
	case strings.ContainsAny(o.Prefix, "{}"):
		return errors.New("the prefix has braces, which mean something to a cluster")
	case len(o.Sentinels) > 0 && strings.HasPrefix(o.Address, "/"):
		return errors.New("there is either a Unix socket or Sentinels")
	case len(o.Sentinels) > 0 && len(o.Cluster) > 0, len(o.Sentinels) > 0 && len(o.Shards) > 0, len(o.Cluster) > 0 && len(o.Shards) > 0:
		return errors.New("there is one of Sentinels, a cluster, and several Redis")
	case len(o.Cluster) > 0 && o.Database != 0:
		return errors.New("a cluster has no other database than 0")
	case o.Partitions < 0 || o.Partitions > MaxPartitions:
		return fmt.Errorf("the number of partitions is not between 1 and %d", MaxPartitions)
	}
	return nil
}

// The defaults and the bound of [Options]. DefaultPartitions are enough for about as many
// servers: each has one then.
const (
	DefaultAddress    = "localhost:6379"
	DefaultPrefix     = "rt:"
	DefaultPartitions = 16
	MaxPartitions     = 1024
)

// apart gives the options of each shard.
func (o Options) perShard() []Options {
	if len(o.Shards) == 0 {
		return []Options{o}
	}
	var each []Options
	for _, a := range o.Shards {
		part := o
		part.Address, part.Shards = a, nil
		each = append(each, part)
	}
	return each
}

func (o Options) withDefaults() Options {
	orDuration := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	orDuration(&o.Timeout, 500*time.Millisecond)
	orDuration(&o.Probe, 2*time.Second)
	orDuration(&o.Check, 10*time.Second)
	orDuration(&o.Linger, 10*time.Second)
	orDuration(&o.KeyWindow, 10*time.Minute)
	orDuration(&o.Lease, 10*time.Second)
	orDuration(&o.Beat, 1500*time.Millisecond)
	o.Beat = min(o.Beat, o.Lease/3)
	if o.RoomKeys <= 0 {
		o.RoomKeys = 20_000
	}
	if o.Keys <= 0 {
		o.Keys = 200_000
	}
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	if o.Partitions == 0 {
		o.Partitions = DefaultPartitions
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
