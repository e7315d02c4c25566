package redis

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// maxReaped is how many members a script lets leave at once.
const maxReaped = 200

// live renews the lease and looks for dead nodes until the store is closed.
func (p *Presence) renewLeaseUntilClosed() {
	beat := p.c.o.Beat
	for next := time.Duration(0); p.waitForBeat(next); next = beat*3/4 + rand.N(beat/2) {
		p.beat()
	}
}

// beat is what live does each time.
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
			return // next time
		}
	}
}

// take notes that there is a lease of a name, unless another one than the old is in use
// by now.
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

// doubt has all rooms read, because Redis does not take a lease: they find out in the
// same way as those in which something happens that what they know may not be all, and
// read again until it is.
func (p *Presence) markRoomsStale() {
	p.c.link.eachHandler(func(h handler) {
		if w, ok := h.(*watch); ok && w.p == p {
			w.mu.Lock()
			w.notifyMissed()
			w.mu.Unlock()
		}
	})
}

// wait waits for the next beat, or until there is a new name. False: the store is
// closed.
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

// lease renews a lease, or takes the first one of a name.
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

// renew takes another name in place of one that is dead, unless somebody else just
// did, and has all members entered under it.
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

// reenter enters the members of the rooms in which they are under an old name.
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
			return // with the next beat
		}
	}
}

// inhabited returns the name of the node and the rooms in which it may hold members.
func (p *Presence) roomsHeld() (name string, channels []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name, slices.Collect(maps.Keys(p.rooms))
}

// reap lets a dead node leave all rooms. Two nodes may do it at once.
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
