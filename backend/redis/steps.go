package redis

import "context"

// A replica that takes over may lack the latest changes of members: who has left would
// stay for as long as its node lives, and who has entered would be missing. Redis counts
// the changes of each node, which are its steps. A node that sees fewer than there were
// takes another name and enters its members again, as if it had lost its lease; what is
// under the old name leaves when that lease is over.

// made is how many steps a name is known to have made.
func (p *Presence) made(name string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != name {
		return 0
	}
	return p.steps
}

// step has a change executed and gives which step it was: 0 for a name without a lease,
// less if it was none.
func (p *Presence) step(ctx context.Context, c *call, name string) (int64, error) {
	made := p.made(name)
	defer p.scripts.done(c)
	result, err := p.run(ctx, c)
	if err != nil {
		return 0, err
	}
	n, ok := result.(int64)
	if !ok {
		return 0, unexpected(result)
	}
	if n > 0 && p.behind(name, n <= made) {
		p.rouse()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == name {
		p.steps = max(p.steps, n)
	}
	return n, nil
}

// behind notes that steps of a name are lost, and reports whether any are.
func (p *Presence) behind(name string, lost bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != name {
		return false
	}
	p.lost = p.lost || lost
	return p.lost
}

// rouse has the next beat come at once.
func (p *Presence) rouse() {
	select {
	case p.again <- struct{}{}:
	default:
	}
}
