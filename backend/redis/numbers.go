package redis

import (
	"sync"
	"time"
)

// numbers number the scripts of a node that change members. A script that was stuck in a
// broken connection may arrive at any time. Redis refuses it by its number: in each room
// it knows that of the latest script for a while, and with each lease the node says which
// is the lowest that it waits for.
type numbers struct {
	mu   sync.Mutex
	last uint64
	open map[*call]uint64 // those under way
}

func (n *numbers) init() { n.open = make(map[*call]uint64) }

// next numbers a script.
func (n *numbers) next(c *call) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	n.open[c] = n.last
	return n.last
}

// done notes that nobody waits for a script any more.
func (n *numbers) done(c *call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, c)
}

// floor is the lowest number of a script that somebody waits for, or will.
func (n *numbers) floor() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	floor := n.last + 1
	for _, number := range n.open {
		floor = min(floor, number)
	}
	return floor
}

// stuck is for how long Redis knows the latest script of a node in a room. Until then
// the node has renewed its lease, or its name is dead.
func (o Options) stuck() time.Duration { return max(3*o.Lease, 30*time.Second) }

const (
	// maxRemembered and maxRememberedBytes bound those who left and are remembered, of all
	// rooms together. Each partition of a cluster has its part, or the least.
	maxRemembered, leastRemembered           = 100_000, 1000
	maxRememberedBytes, leastRememberedBytes = 64 << 20, 1 << 20
)

// remembered is the part of these bounds that is for one shard.
func (o Options) remembered() (most, bytes int) {
	n := 1
	if len(o.Cluster) > 0 {
		n = o.Partitions
	}
	return max(maxRemembered/n, leastRemembered), max(maxRememberedBytes/n, leastRememberedBytes)
}
