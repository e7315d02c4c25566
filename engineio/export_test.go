package engineio

// Has reports whether there is a session with a sid.
func (t *Sessions) Has(sid string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live[sid] != nil
}

// Held reports whether a poll of a session is held.
func (t *Sessions) Held(sid string) bool {
	t.mu.Lock()
	c := t.live[sid]
	t.mu.Unlock()
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.poll != nil
}

func (t *Sessions) probe(sid string) *probe {
	t.mu.Lock()
	c := t.live[sid]
	t.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.probe
}

// Probed reports whether a WebSocket may take a session over.
func (t *Sessions) Probed(sid string) bool { return t.probe(sid) != nil }

// Hurry ends the time of an upgrade.
func (t *Sessions) Hurry(sid string) {
	p := t.probe(sid)
	p.carrier.mu.Lock()
	defer p.carrier.mu.Unlock()
	p.due = p.due.Add(-upgradeTime)
}
