package hub

// maxTrail bounds the runs of a trail. Beyond it the oldest quarter is dropped.
const maxTrail = 512

// trail is the order in which a connection was sent the messages of its rooms, for a client that names
// the last message that it has when it comes back: it also has what it was sent before in other rooms.
// conn.mu guards it.
type trail struct {
	// group names those rooms of which the client names one last message; static. It must not block.
	group func(channel string) string

	runs   []run          // oldest first
	marked int            // how many there were at the last ping
	edges  map[string]run // by group, the newest one that was dropped
	broken bool           // the connection was not sent a message that it should have got

	end *Trail // set when the connection ends
}

// run are messages of one room that were sent with none of another room between them.
type run struct {
	track    *track
	from, to uint64 // offsets; from is before the first
	anchor   uint32 // of the last
}

// has reports whether a run has the message at a position.
func (r *run) has(p Position) bool {
	return r.track != nil && r.track.start.Epoch == p.Epoch && r.from < p.Offset && p.Offset <= r.to
}

func (r *run) last() Position { return Position{r.track.start.Epoch, r.to, r.anchor} }

// KeepTrail makes the connection keep its [Conn.Trail]. It is called before the first subscription.
// group names those rooms of which the client names one last message. It must not block.
func (c *Conn) KeepTrail(group func(channel string) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trail == nil {
		c.trail = &trail{group: group}
	}
}

// follow gives a subscription its part in the trail. Needs mu.
func (c *Conn) follow(s *subscription) {
	if c.trail == nil {
		return
	}
	if s.track == nil {
		s.track = new(track)
	}
	s.track.channel, s.track.group = s.channel, c.trail.group(s.channel)
}

// note notes that the messages of a room were sent up to a position.
func (t *trail) note(k *track, p Position) {
	switch {
	case k.start.IsZero():
		return // the room had no history when the connection came
	case p.Epoch != k.start.Epoch:
		t.broken = true
		return
	case p.Offset <= k.noted:
		return
	}
	if n := len(t.runs); n > t.marked && t.runs[n-1].track == k {
		t.runs[n-1].to, t.runs[n-1].anchor = p.Offset, p.Anchor
	} else {
		t.runs = append(t.runs, run{k, k.noted, p.Offset, p.Anchor})
	}
	k.noted = p.Offset
	if len(t.runs) > maxTrail {
		t.drop(maxTrail / 4)
	}
}

// mark notes a ping. What was sent before the ping that the client has answered is not needed any more.
func (t *trail) mark(answered bool) {
	if answered {
		t.drop(t.marked)
	}
	t.marked = len(t.runs)
}

// drop drops the oldest runs.
func (t *trail) drop(n int) {
	if n == 0 {
		return
	}
	if t.edges == nil {
		t.edges = make(map[string]run)
	}
	for _, r := range t.runs[:n] {
		r.track.base, t.edges[r.track.group] = r.last(), r
	}
	t.runs = append([]run(nil), t.runs[n:]...)
	t.marked = max(0, t.marked-n)
}

// breakTrail notes that the connection was not sent a message that it should have got. Needs mu.
func (c *Conn) breakTrail() {
	if c.trail != nil {
		c.trail.broken = true
	}
}

// endTrail keeps the trail of a connection that ends. Needs mu.
func (c *Conn) endTrail() {
	t := c.trail
	if t == nil || t.end != nil {
		return
	}
	t.end = &Trail{runs: t.runs, edges: t.edges, broken: t.broken}
	for _, s := range c.subs {
		if s.phase != live {
			continue // the client does not know that it is in the room
		}
		k := s.track
		if k == nil { // from before KeepTrail
			k = &track{channel: s.channel, group: t.group(s.channel)}
		}
		t.end.rooms = append(t.end.rooms, k)
	}
}

// Trail returns in which order the connection was sent messages. It is known once the connection has
// ended, and nil without [Conn.KeepTrail].
func (c *Conn) Trail() *Trail {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trail == nil {
		return nil
	}
	return c.trail.end
}

// Trail is the order in which a connection was sent the messages of its rooms. It does not change.
type Trail struct {
	rooms  []*track // in which the connection was at its end
	runs   []run
	edges  map[string]run
	broken bool
}

// runsPerEntry is how many runs count as one entry: a run takes far less memory than a room.
const runsPerEntry = 8

// Size is how many entries the trail counts for.
func (t *Trail) Size() int {
	return len(t.rooms) + len(t.edges) + (len(t.runs)+runsPerEntry-1)/runsPerEntry
}

// All returns the rooms in which the connection was at its end.
func (t *Trail) All() (all []string) {
	for _, k := range t.rooms {
		all = append(all, k.channel)
	}
	return all
}

// Channels returns the rooms of a group in which the connection was at its end.
func (t *Trail) Channels(group string) (all []string) {
	for _, k := range t.rooms {
		if k.group == group {
			all = append(all, k.channel)
		}
	}
	return all
}

// After returns how far the client was in the rooms of a group in which the connection was at its end, if
// the last message of the group that it has is the one at a position; nil: it has none. ok is false if that is
// not known for each of the rooms: one has no history, or the connection was not sent everything, or
// the position is none of its messages, or an old one.
func (t *Trail) After(group string, last *Position) (all []Standing, ok bool) {
	n, ok := t.find(group, last)
	if !ok || t.broken {
		return nil, false
	}
	at := make(map[*track]Position)
	for i := range t.runs[:n] {
		at[t.runs[i].track] = t.runs[i].last()
	}
	if last != nil && n > 0 && t.runs[n-1].has(*last) {
		at[t.runs[n-1].track] = *last
	}
	for _, k := range t.rooms {
		if k.group != group {
			continue
		}
		p, there := at[k]
		if !there {
			p = k.base
		}
		if edge := t.edges[group]; last != nil && edge.track == k && edge.has(*last) {
			p = *last
		}
		if p.IsZero() {
			return nil, false
		}
		all = append(all, Standing{k.channel, p})
	}
	return all, true
}

// find returns how many runs the client has at least in part.
func (t *Trail) find(group string, last *Position) (n int, ok bool) {
	edge, dropped := t.edges[group]
	if last == nil {
		return 0, !dropped
	}
	for i := len(t.runs) - 1; i >= 0; i-- {
		if t.runs[i].track.group == group && t.runs[i].has(*last) {
			return i + 1, true
		}
	}
	if dropped {
		return 0, edge.has(*last)
	}
	for _, k := range t.rooms { // the client was sent nothing, and names a message of an earlier connection
		if k.group == group && k.start.Epoch == last.Epoch && last.Offset <= k.start.Offset {
			return 0, true
		}
	}
	return 0, false
}
