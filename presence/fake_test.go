package presence

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// cluster is a store of the simplest kind: one lock, nothing remembered. Its nodes
// can be slow, tell of changes late, lose them, fail, and die.
type cluster struct {
	mu    sync.Mutex
	rooms map[string]map[string]*held
	nodes []*node
	clock int
}

// held is a member and the nodes that hold it.
type held struct {
	by    map[*node]holding
	shown *Member
}

type holding struct {
	m  *Member
	at int
}

// node is the Store of one tracker.
type node struct {
	cluster *cluster
	sink    Sink

	// Guarded by cluster.mu.
	attached map[string]bool
	err      error         // of all calls
	hang     bool          // calls wait for their context
	slow     time.Duration // of each call
	lag      time.Duration // of each event
	deaf     bool          // events are lost
	calls    int

	delivering sync.Mutex // so that events keep their order
	queue      []func()   // guarded by cluster.mu
}

func newCluster() *cluster { return &cluster{rooms: make(map[string]map[string]*held)} }

func (c *cluster) join(s Sink) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &node{cluster: c, sink: s, attached: make(map[string]bool)}
	c.nodes = append(c.nodes, n)
	return n
}

// set changes how a node behaves.
func (n *node) set(f func(n *node)) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	f(n)
}

// call does f under the lock, on the way between two waits as long as the node is
// slow: what f did may be told before the caller knows, and a caller that gives up
// does not know whether f was done.
func (n *node) call(ctx context.Context, f func(c *cluster)) error {
	var slow time.Duration
	var hang bool
	n.set(func(n *node) { n.calls, slow, hang = n.calls+1, n.slow, n.hang })
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := wait(ctx, slow); err != nil {
		return err
	}
	var err error
	n.set(func(n *node) {
		if err = n.err; err == nil {
			f(n.cluster)
		}
	})
	if err != nil {
		return err
	}
	return wait(ctx, slow)
}

func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *node) Attach(ctx context.Context, channel string) error {
	return n.call(ctx, func(*cluster) { n.attached[channel] = true })
}

func (n *node) Detach(channel string) {
	var slow time.Duration
	n.set(func(n *node) { slow = n.slow; delete(n.attached, channel) })
	_ = wait(context.Background(), slow)
}

func (n *node) Enter(ctx context.Context, channel string, ms []*Member) error {
	return n.call(ctx, func(c *cluster) {
		if c.rooms[channel] == nil {
			c.rooms[channel] = make(map[string]*held)
		}
		for _, m := range ms {
			h := c.rooms[channel][m.Key]
			if h == nil {
				h = &held{by: make(map[*node]holding)}
				c.rooms[channel][m.Key] = h
			}
			c.clock++
			h.by[n] = holding{m, c.clock}
			c.settle(channel, m.Key)
		}
	})
}

func (n *node) Leave(ctx context.Context, channel string, ds []Departure) error {
	return n.call(ctx, func(c *cluster) {
		for _, d := range ds {
			if h := c.rooms[channel][d.Key]; h != nil {
				delete(h.by, n)
				c.settle(channel, d.Key)
			}
		}
	})
}

func (n *node) List(ctx context.Context, channel string, q Query) (page Page, err error) {
	err = n.call(ctx, func(c *cluster) {
		page.Count = len(c.rooms[channel])
		for key, h := range c.rooms[channel] {
			if key > q.After {
				page.Members = append(page.Members, Listed{Member: h.shown})
			}
		}
	})
	slices.SortFunc(page.Members, func(a, b Listed) int { return strings.Compare(a.Key, b.Key) })
	if page.More = len(page.Members) > q.Limit; page.More {
		page.Members = page.Members[:q.Limit]
	}
	return page, err
}

func (n *node) Has(ctx context.Context, channel, key string, as Owner) (there bool, err error) {
	err = n.call(ctx, func(c *cluster) {
		h := c.rooms[channel][key]
		there = h != nil && h.shown.Owner.May(as)
	})
	return there, err
}

// settle works out what a member shows now and tells of it.
func (c *cluster) settle(channel, key string) {
	h := c.rooms[channel][key]
	old := h.shown
	h.shown = h.choose()
	switch {
	case h.shown == nil:
		delete(c.rooms[channel], key)
		c.tell(channel, Event{Left, old})
	case old == nil:
		c.tell(channel, Event{Entered, h.shown})
	case !old.Same(h.shown):
		c.tell(channel, Event{Updated, h.shown})
	}
}

func (h *held) choose() *Member {
	var status, info holding
	var owner Owner
	for _, v := range h.by {
		if owner = owner.Or(v.m.Owner); status.m == nil {
			owner = v.m.Owner
		}
		if r := Rank(v.m.Status); status.m == nil || r > Rank(status.m.Status) || r == Rank(status.m.Status) && v.at > status.at {
			status = v
		}
		if info.m == nil || info.m.Info == "" || v.m.Info != "" && v.at > info.at {
			info = v
		}
	}
	if status.m == nil {
		return nil
	}
	return &Member{Key: status.m.Key, Status: status.m.Status, Info: info.m.Info, Owner: owner}
}

func (c *cluster) tell(channel string, ev Event) {
	for _, n := range c.nodes {
		switch {
		case !n.attached[channel] || n.deaf:
		case n.lag == 0 && len(n.queue) == 0:
			n.sink.Changed(channel, ev)
		default:
			n.queue = append(n.queue, func() { n.sink.Changed(channel, ev) })
			time.AfterFunc(n.lag, n.deliver)
		}
	}
}

// deliver hands over the oldest event that waits.
func (n *node) deliver() {
	n.delivering.Lock()
	defer n.delivering.Unlock()
	var next func()
	n.set(func(n *node) { next, n.queue = n.queue[0], n.queue[1:] })
	next()
}

// recover ends all faults of a node; it knows that it has missed events.
func (n *node) recover() {
	var rooms []string
	n.set(func(n *node) {
		n.err, n.hang, n.deaf = nil, false, false
		for channel := range n.attached {
			rooms = append(rooms, channel)
		}
	})
	for _, channel := range rooms {
		n.sink.Missed(channel)
	}
}

// expire is what a store does to a node that it takes for dead: it leaves for it.
func (n *node) expire() {
	c := n.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	for channel, room := range c.rooms {
		for key, h := range room {
			if _, ok := h.by[n]; ok {
				delete(h.by, n)
				c.settle(channel, key)
			}
		}
	}
}

func (n *node) Close() error {
	n.expire()
	n.set(func(n *node) { clear(n.attached); n.err = ErrClosed })
	return nil
}
