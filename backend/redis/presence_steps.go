package redis

import (
	"context"
	"sync"
	"time"
)

// numbers number the scripts of a node that change members. A script that was stuck in a
// broken connection may arrive at any time. Redis refuses it by its number: in each room
// it knows that of the latest script for a while, and with each lease the node says which
// is the lowest that it waits for.
type scriptNumbers struct {
	mu   sync.Mutex
	last uint64
	open map[*call]uint64 // those under way
}

func (n *scriptNumbers) init() { n.open = make(map[*call]uint64) }

// next numbers a script.
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

// floor is the lowest number of a script that somebody waits for, or will.
func (n *scriptNumbers) lowestOpen() uint64 {
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
func (o Options) latestScriptTTL() time.Duration { return max(3*o.Lease, 30*time.Second) }

const (
	// maxRemembered and maxRememberedBytes bound those who left and are remembered, of all
	// rooms together. Each partition of a cluster has its part, or the least.
	maxLeftMembers, minLeftMembers         = 100_000, 1000
	maxLeftMemberBytes, minLeftMemberBytes = 64 << 20, 1 << 20
)

// remembered is the part of these bounds that is for one shard.
func (o Options) rememberedBounds() (most, bytes int) {
	n := 1
	if len(o.Cluster) > 0 {
		n = o.Partitions
	}
	return max(maxLeftMembers/n, minLeftMembers), max(maxLeftMemberBytes/n, minLeftMemberBytes)
}

// A replica that takes over may lack the latest changes of members: who has left would
// stay for as long as its node lives, and who has entered would be missing. Redis counts
// the changes of each node, which are its steps. A node that sees fewer than there were
// takes another name and enters its members again, as if it had lost its lease; what is
// under the old name leaves when that lease is over.

// made is how many steps a name is known to have made.
func (p *Presence) stepsOf(name string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != name {
		return 0
	}
	return p.steps
}

// step has a change executed and gives which step it was: 0 for a name without a lease,
// less if it was none.
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

// behind notes that steps of a name are lost, and reports whether any are.
func (p *Presence) noteLostSteps(name string, lost bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != name {
		return false
	}
	p.stepsLost = p.stepsLost || lost
	return p.stepsLost
}

// rouse has the next beat come at once.
func (p *Presence) wakeBeat() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
