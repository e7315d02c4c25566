package redis

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-realtime/caddy-realtime/history"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// Presence is a [presence.Store] over one shard. Nothing is kept of a room that nobody is
// in and of which nobody is remembered, but for some seconds.
//
// Each node holds members under a name of its own, for which it has a lease by
// Redis's clock. A node whose lease is over is dead: whoever notices lets it leave
// everything. If it was merely paused, or cut off, it finds its lease gone, takes
// another name and enters all its members again. Nothing can be entered under the
// old name any more, so that no member stays behind.
type Presence struct {
	// Set when it is made.
	c                     *shard
	sink                  presence.Sink
	maxLeft, maxLeftBytes int // bound those who left any room and are remembered

	ctx    context.Context // over when the store is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // the node has a new name, or needs one

	scripts scriptNumbers

	leaseFailed bool // the latest beat has not reached Redis; owned by live

	renaming turn // to take a new name

	mu        sync.Mutex
	closed    bool
	name      string // under which members are held
	leased    bool   // there has been a lease of it
	steps     int64  // how many Redis has counted of it
	stepsLost bool   // Redis does not have all of them any more
	attached  map[string]bool
	rooms     map[string]*roomMembers
}

var _ presence.Store = (*Presence)(nil)

// members are those that this node holds in a room.
type roomMembers struct {
	// Set when it is made.
	channel string
	turn    turn // to tell Redis of the room, so that it learns the changes in order

	users int // goroutines that have the turn or wait for it; guarded by Presence.mu

	// Owned by the goroutine that has the turn; without users guarded by Presence.mu.
	name string // under which they were entered; empty: none was yet
	held map[string]*presence.Member
}

// maxEntered is how many members a script enters at once.
const maxEntered = 500

// presence starts a store that delivers to sink.
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

// run is what every call to Redis goes through. All are harmless twice.
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

// in calls f when it is its turn in a room. The error is that of f, or that of ctx.
func (p *Presence) inTurn(ctx context.Context, channel string, f func(*roomMembers) error) error {
	r := p.acquireRoom(channel)
	defer p.releaseRoom(r)
	return r.turn.do(ctx, func() error { return f(r) })
}

// use returns the members of a channel, which stay until unuse.
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

// unuse drops the room if the node holds nothing there.
func (p *Presence) releaseRoom(r *roomMembers) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.users--; r.users == 0 && len(r.held) == 0 {
		delete(p.rooms, r.channel)
	}
}

// current is the name of the node, and whether there has been a lease of it.
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

// enter tells Redis of members; of all if the node has got another name since. Needs
// the room's turn.
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
			r.name = name // so that all are entered the next time
		}
		if err := p.takeNewName(ctx, name); err != nil {
			return err
		}
	}
}

// all are the members in the order of their keys, which makes that of the events the
// same each time.
func (r *roomMembers) sorted() []*presence.Member {
	return slices.SortedFunc(maps.Values(r.held), func(a, b *presence.Member) int { return strings.Compare(a.Key, b.Key) })
}

func enterArgs(ms []*presence.Member) []any {
	args := make([]any, 0, 5*len(ms)+3)
	for _, m := range ms {
		args = append(args, m.Key, presence.Rank(m.Status), m.Status, m.Info, max(m.Remember, 0).Milliseconds())
	}
	return args
}

// change makes the call of a script that begins with presence.lua. It counts as under way
// until it is done.
func (p *Presence) changeCall(s *script, channel, node string, args []any) *call {
	n := p.c.names
	keys := append(n.members(channel), n.held(channel, node), n.latest(channel, node), n.holding(node), n.leases(), n.steps())
	c := &call{script: s, keys: append(keys, n.remembered()...)}
	c.args = append([]any{node, n.presence(channel), channel, p.scripts.next(c), p.c.o.latestScriptTTL().Milliseconds(), p.maxLeft, p.maxLeftBytes}, args...)
	return c
}

// Leave implements [presence.Store].
func (p *Presence) Leave(ctx context.Context, channel string, ds []presence.Departure) error {
	if err := p.checkOpen(ctx); err != nil {
		return err
	}
	return p.inTurn(ctx, channel, func(r *roomMembers) error { return p.leaveMembers(ctx, r, ds) })
}

// leave tells Redis that this node no longer holds members. Needs the room's turn.
func (p *Presence) leaveMembers(ctx context.Context, r *roomMembers, ds []presence.Departure) error {
	for _, d := range ds {
		delete(r.held, d.Key)
	}
	// Under the name of now: an Enter that failed may have been executed under it, and
	// what was entered under an older name leaves anyway.
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

// Close implements [presence.Store]. What this node holds leaves when its lease is
// over: the clients come back to another node until then, and were never gone.
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
		err = p.checkOpen(ctx) // attached already, or closed meanwhile
	}
	return err
}

// attach notes that a room is attached. False: it was, or the store is closed.
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
