package redis

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// maxReaped is how many members a script makes leave at once.
const maxReaped = 200

// renewLeaseUntilClosed renews the lease and looks for dead nodes until the store is closed.
func (p *Presence) renewLeaseUntilClosed() {
	beat := p.c.o.Beat
	for next := time.Duration(0); p.waitForBeat(next); next = beat*3/4 + rand.N(beat/2) {
		p.beat()
	}
}

// beat renews the lease once. Then it enters members again if necessary, and removes dead
// nodes.
func (p *Presence) beat() {
	name, leased := p.currentName()
	made := p.stepsOf(name)
	alive, dead, steps, err := p.renewLease(p.ctx, name, !leased)
	if err != nil {
		if !p.leaseFailed && p.ctx.Err() == nil {
			p.markRoomsStale()
		}
		p.leaseFailed = true
		return
	}
	p.leaseFailed = false
	switch {
	case !leased:
		p.adoptName(name, name)
	case !alive:
		p.c.log.Warn("the lease of this node's presence was over, its members enter again")
		if p.takeNewName(p.ctx, name) != nil {
			return
		}
	case p.noteLostSteps(name, steps < made):
		p.c.log.Warn("Redis has lost changes of this node's members, which enter again")
		if p.takeNewName(p.ctx, name) != nil {
			return
		}
	}
	p.reenterMembers()
	for _, node := range dead {
		if p.reapNode(node) != nil {
			return // the next beat continues
		}
	}
}

// adoptName notes that a name has a lease. It does nothing if the node meanwhile uses another
// name than old.
func (p *Presence) adoptName(name, old string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != old {
		return
	}
	if name != old {
		p.steps, p.stepsLost = 0, false
	}
	p.name, p.leased = name, true
}

// markRoomsStale tells the sink that each room may have missed events, because Redis does not
// accept the lease. The rooms read their members again until that succeeds.
func (p *Presence) markRoomsStale() {
	p.c.link.eachHandler(func(h handler) {
		if w, ok := h.(*watch); ok && w.p == p {
			w.mu.Lock()
			w.notifyMissed()
			w.mu.Unlock()
		}
	})
}

// waitForBeat waits until the next beat. It returns false when the store is closed.
func (p *Presence) waitForBeat(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.wake:
	case <-p.ctx.Done():
	}
	return p.ctx.Err() == nil
}

// renewLease renews a lease. With first it takes the lease of a new name.
func (p *Presence) renewLease(ctx context.Context, name string, first bool) (alive bool, dead []string, steps int64, err error) {
	join := "0"
	if first {
		join = "1"
	}
	result, err := p.run(ctx, &call{
		script: renewLeaseScript, keys: []string{p.c.names.leases(), p.c.names.dead(), p.c.names.steps()},
		args: []any{name, p.c.o.Lease.Milliseconds(), join, p.scripts.lowestOpen()},
	})
	if err != nil {
		return false, nil, 0, err
	}
	reply, ok := result.([]any)
	if !ok || len(reply) != 3 {
		return false, nil, 0, unexpected(result)
	}
	p.c.leaseRenewedAt.Store(int64(uptime()))
	steps, _ = reply[2].(int64)
	return reply[0] == int64(1), texts(reply[1]), steps, nil
}

// takeNewName replaces a name whose lease is over, unless another goroutine has done that. The
// next beat enters all members under the new name.
func (p *Presence) takeNewName(ctx context.Context, dead string) error {
	return p.renaming.do(ctx, func() error {
		if name, _ := p.currentName(); name != dead {
			return nil
		}
		name := nodeName()
		if _, _, _, err := p.renewLease(ctx, name, true); err != nil {
			return err
		}
		p.adoptName(name, dead)
		p.wakeBeat()
		return nil
	})
}

// reenterMembers enters the members that Redis has under an old name.
func (p *Presence) reenterMembers() {
	name, channels := p.roomsHeld()
	for _, channel := range channels {
		err := p.inTurn(p.ctx, channel, func(r *roomMembers) error {
			if r.name == name || len(r.held) == 0 {
				return nil
			}
			return p.enterMembers(p.ctx, r, r.sorted())
		})
		if err != nil {
			return // the next beat continues
		}
	}
}

// roomsHeld returns the name of the node and the rooms in which it may hold members.
func (p *Presence) roomsHeld() (name string, channels []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name, slices.Collect(maps.Keys(p.rooms))
}

// reapNode makes a dead node leave all rooms. Two nodes may do that at the same time.
func (p *Presence) reapNode(node string) error {
	n := p.c.names
	for {
		result, err := p.run(p.ctx, &call{args: []any{"srandmember", n.holding(node), 100}})
		if err != nil {
			return err
		}
		rooms := texts(result)
		if len(rooms) == 0 {
			break
		}
		for _, channel := range rooms {
			if err := p.reapRoom(node, channel); err != nil {
				return err
			}
		}
	}
	if _, err := p.run(p.ctx, &call{args: []any{"hdel", n.steps(), node, node + ":from"}}); err != nil {
		return err
	}
	_, err := p.run(p.ctx, &call{args: []any{"zrem", n.dead(), node}})
	return err
}

func (p *Presence) reapRoom(node, channel string) error {
	for {
		c := p.changeCall(reapMembersScript, channel, node, []any{maxReaped})
		left, err := p.run(p.ctx, c)
		p.scripts.done(c)
		if err != nil {
			return err
		}
		if left == int64(0) {
			return nil
		}
	}
}
