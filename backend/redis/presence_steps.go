package redis

import (
	"context"
	"sync"
	"time"
)

// scriptNumbers numbers the scripts of a node that change members. A script that was stuck in a
// broken connection may arrive at any time. Redis rejects it by its number: it remembers the
// number of the latest script in each room for a while, and with each lease the node sends the
// lowest number that it still waits for.
type scriptNumbers struct {
	mu   sync.Mutex
	last uint64
	open map[*call]uint64 // on their way
}

func (n *scriptNumbers) init() { n.open = make(map[*call]uint64) }

// next returns the number for a script.
func (n *scriptNumbers) next(c *call) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	n.open[c] = n.last
	return n.last
}

// done notes that nobody waits for a script any more.
func (n *scriptNumbers) done(c *call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, c)
}

// lowestOpen returns the lowest number of a script that somebody waits for. Without any it is
// the next number.
func (n *scriptNumbers) lowestOpen() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	floor := n.last + 1
	for _, number := range n.open {
		floor = min(floor, number)
	}
	return floor
}

// latestScriptTTL is how long Redis remembers the latest script of a node in a room. In that
// time the node renews its lease, or its lease ends.
func (o Options) latestScriptTTL() time.Duration { return max(3*o.Lease, 30*time.Second) }

const (
	// The first two bound how many members who left are remembered, of all rooms together; the
	// other two bound their bytes. Each partition of a cluster has an equal part, but at least
	// the minimum.
	maxLeftMembers, minLeftMembers         = 100_000, 1000
	maxLeftMemberBytes, minLeftMemberBytes = 64 << 20, 1 << 20
)

// rememberedBounds returns these bounds for one shard.
func (o Options) rememberedBounds() (most, bytes int) {
	n := 1
	if len(o.Cluster) > 0 {
		n = o.Partitions
	}
	return max(maxLeftMembers/n, minLeftMembers), max(maxLeftMemberBytes/n, minLeftMemberBytes)
}

// After a failover the new primary may lack the latest changes of members. Then members who
// left would stay as long as their node lives, and members who entered would be missing. So
// Redis counts the changes of each node, which are its steps. A node that sees fewer steps than
// it made takes another name and enters its members again, as after a lost lease. The members
// under the old name leave when its lease is over.

// stepsOf returns how many steps a name is known to have made.
func (p *Presence) stepsOf(name string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != name {
		return 0
	}
	return p.steps
}

// runChange runs a script that changes members, and returns the number of its step. It returns
// 0 if the name has no lease, and less if Redis counted no step.
func (p *Presence) runChange(ctx context.Context, c *call, name string) (int64, error) {
	made := p.stepsOf(name)
	defer p.scripts.done(c)
	result, err := p.run(ctx, c)
	if err != nil {
		return 0, err
	}
	n, ok := result.(int64)
	if !ok {
		return 0, unexpected(result)
	}
	if n > 0 && p.noteLostSteps(name, n <= made) {
		p.wakeBeat()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == name {
		p.steps = max(p.steps, n)
	}
	return n, nil
}

// noteLostSteps notes whether steps of a name are lost. It reports whether any are, now or
// before.
func (p *Presence) noteLostSteps(name string, lost bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != name {
		return false
	}
	p.stepsLost = p.stepsLost || lost
	return p.stepsLost
}

// wakeBeat makes the next beat come at once.
func (p *Presence) wakeBeat() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
