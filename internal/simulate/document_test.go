package simulate

import (
	"encoding/json"
	"fmt"
)

// replica is the document of a room as a client knows it.
type replica struct {
	live    bool
	epoch   string
	version uint64
	state   map[string]any
	pending *proposal
}

// proposal is a change without an answer.
type proposal struct {
	name  string
	local int
	epoch string
	base  uint64
	patch json.RawMessage
}

// change proposes a change, if none waits for an answer. Every change adds one to a number of its own and to
// one that all share; some also touch what others touch.
func (c *client) change(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.rooms[desk]
	if !p.doc.live || p.doc.pending != nil || !p.wanted || c.link == nil {
		return
	}
	c.changes++
	name := fmt.Sprintf("i%s-%d", c.name, c.changes)
	steps := []map[string]any{
		{"op": "increment", "path": "/n", "value": 1},
		{"op": "increment", "path": "/" + name, "value": 1},
	}
	if n%4 == 0 {
		steps = append(steps, map[string]any{"op": "add", "path": "/title", "value": name})
	}
	patch, err := json.Marshal(steps)
	if err != nil {
		panic(err)
	}
	p.doc.pending = &proposal{name: name, local: c.changes, epoch: p.doc.epoch, base: p.doc.version, patch: patch}
	c.propose(p)
}

// propose sends the change that waits. It needs mu and a connection.
func (c *client) propose(p *place) {
	q := p.doc.pending
	c.say("change", map[string]any{
		"channel": p.channel, "client": c.name + "-" + fmt.Sprint(c.w.seed), "localVersion": q.local,
		"epoch": q.epoch, "baseVersion": q.base, "patch": q.patch,
	})
}

// loaded takes the document that came with `subscribed`.
func (c *client) loaded(p *place, d *wireDocument) {
	p.doc.live, p.doc.epoch, p.doc.version, p.doc.state = true, d.Epoch, d.Version, d.State
	if p.doc.pending != nil && p.stage == in { // else `unsubscribe` is on its way
		c.propose(p)
	}
}

// reread leaves the room, and enters it again with `unsubscribed`.
func (c *client) reread(p *place) {
	p.doc.live = false
	c.leave(p)
}

// changed handles an event of a document by the rules of docs/protocol.md.
func (c *client) changed(p *place, e *envelope) {
	q, d := &e.Payload, &p.doc
	mine := d.pending != nil && d.pending.local == q.LocalVersion && e.Type != "remote-change"
	patch := q.Patch
	if mine {
		patch = d.pending.patch
		c.w.oracle.answered(d.pending.name, e.Type == "change-accepted", q.Epoch, q.ServerVersion)
		d.pending = nil
	}
	if !d.live {
		return
	}
	switch {
	case q.Epoch != d.epoch:
		c.reread(p)
	case e.Type == "change-rejected":
		if q.ServerVersion > d.version {
			d.version, d.state = q.ServerVersion, q.ServerState
		}
	case q.ServerVersion <= d.version:
	case q.ServerVersion > d.version+1 || e.Type == "change-accepted" && !mine:
		if !c.w.oracle.mayMiss(p.channel) {
			c.w.oracle.fault("%s is at version %d of the document, and %s brings version %d", c.name, d.version, e.Type, q.ServerVersion)
		}
		c.reread(p)
	default:
		next, err := patched(d.state, patch)
		if err != nil {
			c.w.oracle.fault("%s cannot apply %s: %v", c.name, patch, err)
			return
		}
		d.version, d.state = q.ServerVersion, next
	}
}
