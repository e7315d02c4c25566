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

// Options say where Redis is and how long to wait for it. The zero value means a Redis at
// [DefaultAddress] and the defaults.
type Options struct {
	// Address is host:port, or the path of a Unix socket, which starts with a slash. Empty
	// means [DefaultAddress].
	Address string
	// Sentinels are the addresses of Sentinels. They return the address of the primary that
	// they know as Master. Address is not used then.
	Sentinels []string
	Master    string
	// SentinelUsername and SentinelPassword authenticate with the Sentinels. Both may be empty.
	SentinelUsername, SentinelPassword string
	// Cluster are the addresses of some servers of a Redis Cluster. The node learns the other
	// servers from them. Address is not used then. A cluster has only database 0.
	Cluster []string
	// Partitions is the number of parts into which the channels are divided in a cluster; 0
	// means [DefaultPartitions]. One server has all of a part. Each part costs each node a
	// connection and a lease. The number is the same on all nodes.
	Partitions int
	// Shards are the addresses of several independent Redis servers that divide the channels
	// among them. Address is not used then. The order decides which server has a channel: it is
	// the same on all nodes, and a new server comes last.
	Shards []string
	// Username and Password authenticate with Redis. Both may be empty.
	Username, Password string
	// Database is the number of the database. Pub/Sub does not know databases, so two databases
	// of one Redis need two prefixes as well.
	Database int
	// Prefix is the start of every key and channel; empty means
	// [DefaultPrefix].
	Prefix string
	// TLS encrypts the connections; nil means that they are not encrypted.
	TLS *tls.Config
	// Logger gets what an operator should know; nil means that nothing is logged.
	Logger *slog.Logger

	// Timeout bounds a command, and the making of a connection; 0 means 500 ms.
	Timeout time.Duration
	// Probe is how long the subscribed connection may be silent. Then the node publishes a
	// message to itself, which must arrive within the same time. 0 means 2 s.
	Probe time.Duration
	// Check is the time between two comparisons of an idle room's position; 0 means 10 s.
	Check time.Duration
	// Linger is how long a room without connections stays subscribed; 0 means 10 s.
	Linger time.Duration
	// KeyWindow is how long an idempotency key is remembered; 0 means 10 minutes.
	KeyWindow time.Duration
	// RoomKeys is how many idempotency keys of one room are remembered, Keys how many of all
	// rooms of a Redis or of a partition of a cluster. When there are more, at most half of
	// them, the older ones, are forgotten. 0 means 20,000 and 200,000.
	RoomKeys, Keys int
	// Lease is how long a node may be silent before it counts as dead and its members leave; 0
	// means 10 s. Beat is how often a node renews its lease and looks for dead nodes; 0 means
	// 1.5 s, and it is at most a third of Lease.
	Lease, Beat time.Duration
}

// Validate returns an error for options that can not work. It does not connect.
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
		return errors.New("a Unix socket and Sentinels exclude each other")
	case len(o.Sentinels) > 0 && len(o.Cluster) > 0, len(o.Sentinels) > 0 && len(o.Shards) > 0, len(o.Cluster) > 0 && len(o.Shards) > 0:
		return errors.New("only one of Sentinels, a cluster and several servers is possible")
	case len(o.Cluster) > 0 && o.Database != 0:
		return errors.New("a cluster has no other database than 0")
	case o.Partitions < 0 || o.Partitions > MaxPartitions:
		return fmt.Errorf("the number of partitions is not between 1 and %d", MaxPartitions)
	}
	return nil
}

// These are the defaults and the bound of [Options]. DefaultPartitions are enough for as many
// servers, with one partition each.
const (
	DefaultAddress    = "localhost:6379"
	DefaultPrefix     = "rt:"
	DefaultPartitions = 16
	MaxPartitions     = 1024
)

// perShard returns the options of each shard.
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
