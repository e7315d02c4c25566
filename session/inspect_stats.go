package session

import (
	"context"
	"slices"
	"strings"
)

// NodeStats are the figures of one node.
type NodeStats struct {
	Node    string   `json:"node"`
	Host    string   `json:"host"`
	Started int64    `json:"started"`
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"`
	Drain   *Drain   `json:"drain,omitempty"`
	// Gauges and Counters are by name. Counters start with the hub of the node.
	Gauges   map[string]float64 `json:"gauges"`
	Counters map[string]float64 `json:"counters"`
}

// Stats are the figures of all nodes, and their sums.
type Stats struct {
	Gauges   map[string]float64 `json:"gauges"`
	Counters map[string]float64 `json:"counters"`
	ByNode   []NodeStats        `json:"byNode"`
	Coverage
}

// Stats returns the figures of all nodes, ordered by host and node.
func (i *Inspection) Stats(ctx context.Context) Stats {
	all, c := ask(ctx, i, question{Stats: true}, i.statsHere())
	slices.SortFunc(all, func(a, b NodeStats) int { return strings.Compare(a.Host+" "+a.Node, b.Host+" "+b.Node) })
	sum := Stats{Gauges: make(map[string]float64), Counters: make(map[string]float64), ByNode: all, Coverage: c}
	for _, n := range all {
		addUp(sum.Gauges, n.Gauges)
		addUp(sum.Counters, n.Counters)
	}
	return sum
}

func addUp(sum, m map[string]float64) {
	for name, v := range m {
		sum[name] += v
	}
}

// statsHere returns the figures of this node.
func (i *Inspection) statsHere() NodeStats {
	health := i.Health()
	s := NodeStats{
		Node: i.node.Name, Host: i.node.Host, Started: i.node.Started.UnixMilli(),
		Ready: health.Ready, Reasons: health.Reasons, Drain: health.Drain,
		Gauges: make(map[string]float64), Counters: make(map[string]float64),
	}
	s.addHub(i.hub.Stats())
	s.addConns(i.hub.ConnStats())
	s.addCounts(i.rules.counts.read())
	connections, users := i.sessions.size()
	s.Gauges["connections"], s.Gauges["users"] = float64(connections), float64(users)
	if i.members != nil {
		present, members := i.members.Rooms()
		s.Gauges["presence_channels"], s.Gauges["members"] = float64(present), float64(members)
	}
	return s
}
