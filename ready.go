package realtime

import "time"

// awayLimit is how long a store may be out of reach until a node should get no new
// clients: a restart or a failover is shorter, and clients that stay notice little.
const awayLimit = 10 * time.Second

// ready reports that the node takes clients and can serve them.
func (n *node) ready() bool {
	registry := n.registry.Load()
	if registry == nil || n.leaving.Load() || !registry.Ready() {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.ended && n.backend.away() < awayLimit
}
