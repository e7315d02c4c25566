package redis

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Presence is a [presence.Store] over one shard. Its methods are in five files: presence.go
// enters and leaves, presence_lease.go has the lease, presence_steps.go notices lost changes,
// presence_list.go reads, and presence_forget.go forgets members who left. When a room has no members and none are remembered, Redis drops
// all of it after some seconds.
//
// Each node holds its members under a name of its own. The name has a lease, by the clock of
// Redis. When the lease is over, the node is dead, and the first node that notices it makes the
// members leave. A node that was only paused or cut off finds its lease gone. It takes another
// name and enters all its members again. Redis rejects members under the old name, so no member
// is left behind.
type Presence struct {
	// Set by newPresence.
	c                     *shard
	sink                  presence.Sink
	maxLeft, maxLeftBytes int // bound the remembered members of all rooms

	ctx    context.Context // ends when the store is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // the next beat must come at once

	scripts scriptNumbers

	leaseFailed bool // the latest beat did not reach Redis; owned by renewLeaseUntilClosed

	renaming turn // to take a new name

	mu        sync.Mutex
	closed    bool
	name      string // under which this node holds members
	leased    bool   // the name has had a lease
	steps     int64  // how many steps of the name Redis has counted
	stepsLost bool   // Redis has lost some of them
	attached  map[string]bool
	rooms     map[string]*roomMembers
}

var _ presence.Store = (*Presence)(nil)

// roomMembers are the members that this node holds in a room.
type roomMembers struct {
	// Set by acquireRoom.
	channel string
	turn    turn // to change the room in Redis, so that the changes arrive in order

	users int // goroutines that have the turn or wait for it; guarded by Presence.mu

	// Owned by the goroutine that has the turn. Without users it is guarded by Presence.mu.
	name string // under which the members were entered; empty: none were
	held map[string]*presence.Member
}

// maxEntered is how many members a script enters at once.
const maxEntered = 500

// startPresence starts a store that delivers to sink.
func (c *shard) startPresence(sink presence.Sink) *Presence {
	p := newPresence(c, sink)
	c.runLoop(&p.wg, "the lease of presence", p.renewLeaseUntilClosed)
	return p
}

func newPresence(c *shard, sink presence.Sink) *Presence {
	p := &Presence{
		c: c, sink: sink, wake: make(chan struct{}, 1), renaming: newTurn(), name: nodeName(),
		attached: make(map[string]bool), rooms: make(map[string]*roomMembers),
	}
	p.scripts.init()
	p.maxLeft, p.maxLeftBytes = c.o.rememberedBounds()
	p.ctx, p.cancel = context.WithCancel(c.ctx)
	return p
}

func nodeName() string { return history.NewEpoch() + history.NewEpoch() }

// run sends a call to Redis. Every call of the store goes through it. All of them may be
// executed twice without harm.
func (p *Presence) run(ctx context.Context, c *call) (any, error) {
	c.repeatable = true
	result, err := p.c.batch.do(ctx, c)
	if err != nil && ctx.Err() == nil && p.ctx.Err() != nil {
		return nil, presence.ErrClosed
	}
	return result, err
}

func (p *Presence) checkOpen(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return presence.ErrClosed
	}
	return nil
}

// inTurn waits for the turn of a room and calls f. It returns the error of f, or of ctx if that
// ends first.
func (p *Presence) inTurn(ctx context.Context, channel string, f func(*roomMembers) error) error {
	r := p.acquireRoom(channel)
	defer p.releaseRoom(r)
	return r.turn.do(ctx, func() error { return f(r) })
}

// acquireRoom returns the members of a channel. They stay until releaseRoom.
func (p *Presence) acquireRoom(channel string) *roomMembers {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[channel]
	if r == nil {
		r = &roomMembers{channel: strings.Clone(channel), turn: newTurn(), held: make(map[string]*presence.Member)}
		p.rooms[r.channel] = r
	}
	r.users++
	return r
}

// releaseRoom drops the room if the node holds no member there.
func (p *Presence) releaseRoom(r *roomMembers) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.users--; r.users == 0 && len(r.held) == 0 {
		delete(p.rooms, r.channel)
	}
}

// currentName returns the name of the node, and whether it has had a lease.
func (p *Presence) currentName() (name string, leased bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name, p.leased
}

// Enter implements [presence.Store].
func (p *Presence) Enter(ctx context.Context, channel string, ms []*presence.Member) error {
	if err := p.checkOpen(ctx); err != nil {
		return err
	}
	return p.inTurn(ctx, channel, func(r *roomMembers) error {
		for _, m := range ms {
			r.held[m.Key] = m
		}
		return p.enterMembers(ctx, r, ms)
	})
}

// enterMembers enters members in Redis. If the node has taken another name meanwhile, it enters
// all members of the room. Needs the room's turn.
func (p *Presence) enterMembers(ctx context.Context, r *roomMembers, ms []*presence.Member) error {
	for {
		name, _ := p.currentName()
		if r.name != name && r.name != "" {
			ms = r.sorted()
		}
		alive := true
		for part := ms; len(part) > 0 && alive; part = part[min(len(part), maxEntered):] {
			steps, err := p.runChange(ctx, p.changeCall(enterMembersScript, r.channel, name, enterArgs(part[:min(len(part), maxEntered)])), name)
			if err != nil {
				return err
			}
			alive = steps != 0
		}
		if alive {
			r.name = name
			return nil
		}
		if r.name == "" {
			r.name = name // so that the next try enters all
		}
		if err := p.takeNewName(ctx, name); err != nil {
			return err
		}
	}
}

// sorted returns the members in the order of their keys. So the events have the same order each
// time.
func (r *roomMembers) sorted() []*presence.Member {
	return slices.SortedFunc(maps.Values(r.held), func(a, b *presence.Member) int { return strings.Compare(a.Key, b.Key) })
}

func enterArgs(ms []*presence.Member) []any {
	args := make([]any, 0, 6*len(ms)+3)
	for _, m := range ms {
		args = append(args, m.Key, presence.Rank(m.Status), m.Status, m.Info, max(m.Remember, 0).Milliseconds(), int(m.Owner))
	}
	return args
}

// changeCall makes the call of a script that starts with presence.lua. The caller calls
// p.scripts.done when the call is over.
func (p *Presence) changeCall(s *script, channel, node string, args []any) *call {
	n := p.c.names
	keys := append(n.members(channel), n.held(channel, node), n.latest(channel, node), n.holding(node), n.leases(), n.steps())
	c := &call{script: s, keys: append(keys, n.remembered()...)}
	c.args = append([]any{node, n.presence(channel), channel, p.scripts.next(c), p.c.o.latestScriptTTL().Milliseconds(), p.maxLeft, p.maxLeftBytes}, args...)
	return p.c.record(c, channel, p.c.wantedMembers(channel), notify.Entered, notify.Left)
}

// Leave implements [presence.Store].
func (p *Presence) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	if err := p.checkOpen(ctx); err != nil {
		return err
	}
	return p.inTurn(ctx, channel, func(r *roomMembers) error { return p.leaveMembers(ctx, r, ds) })
}

// leaveMembers removes members of this node in Redis. Needs the room's turn.
func (p *Presence) leaveMembers(ctx context.Context, r *roomMembers, ds []presence.Departure) error {
	for _, d := range ds {
		delete(r.held, d.Key)
	}
	// The current name is right. A failed Enter may have been executed under it, and members
	// under an older name leave anyway.
	name, _ := p.currentName()
	for part := ds; len(part) > 0; part = part[min(len(part), maxEntered):] {
		args := make([]any, 0, 2*len(part))
		for _, d := range part[:min(len(part), maxEntered)] {
			args = append(args, d.Key, max(d.Ago, 0).Milliseconds())
		}
		if _, err := p.runChange(ctx, p.changeCall(leaveMembersScript, r.channel, name, args), name); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [presence.Store]. The members of this node leave when its lease is over.
// Until then the clients reconnect to another node, and the members never left.
func (p *Presence) Close() error {
	p.mu.Lock()
	closed, attached := p.closed, p.attached
	p.closed, p.attached = true, make(map[string]bool)
	p.mu.Unlock()
	if closed {
		return nil
	}
	p.cancel()
	p.wg.Wait()
	p.c.link.eachHandler(func(h handler) {
		if w, ok := h.(*watch); ok && w.p == p {
			w.stop()
		}
	})
	for channel := range attached {
		p.c.link.release(p.c.names.presence(channel))
	}
	return nil
}

// Attach implements [presence.Store].
func (p *Presence) Attach(ctx context.Context, channel string) error {
	if err := p.checkOpen(ctx); err != nil {
		return err
	}
	name := p.c.names.presence(channel)
	t, err := p.c.link.acquire(name, func() handler { return &watch{p: p, channel: strings.Clone(channel)} })
	if err != nil {
		return presence.ErrClosed
	}
	live, err := p.c.link.awaitLive(ctx, t)
	if err == nil && !live {
		err = hub.ErrUnavailable
	}
	if err == nil && p.markAttached(channel) {
		return nil
	}
	p.c.link.release(name)
	if err == nil || err == hub.ErrClosed {
		err = p.checkOpen(ctx) // nil if it was already attached, an error if it was closed meanwhile
	}
	return err
}

// markAttached notes that a room is attached. It returns false if it was already, or if the
// store is closed.
func (p *Presence) markAttached(channel string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.attached[channel] {
		return false
	}
	p.attached[strings.Clone(channel)] = true
	return true
}

// Detach implements [presence.Store].
func (p *Presence) Detach(channel string) {
	p.mu.Lock()
	was := p.attached[channel]
	delete(p.attached, channel)
	p.mu.Unlock()
	if was {
		p.c.link.release(p.c.names.presence(channel))
	}
}
