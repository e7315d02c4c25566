package presence

import "time"

// local is a member that has connections on this node, had one a moment ago, or
// of whose end the store does not know yet. Guarded by the room's mu.
type local struct {
	key       string
	anonymous bool
	stays     []*Stay
	shown     *Member // what it shows by this node alone
	lost      *lost   // nil: no connection was lost since the newest came
	seen      time.Time

	// What the store knows of it.
	told    *Member // what this node told it; nil: that it is not here
	asking  bool    // it is being told that now
	dirty   bool    // it is to be told, and in link.dirty
	doubt   bool    // while it was being told otherwise, the store said that it left
	unknown bool    // it is in the view on this node's word alone
}

// lost is the grace of connections that broke.
type lost struct {
	member *local
	until  time.Time
}

// unsure stands for what the store may or may not have understood. It is equal to
// nothing that it could be told, so that it will be told again.
var unsure = new(Member)

// here reports whether the member is present by this node alone.
func (l *local) here() bool { return len(l.stays) > 0 || l.lost != nil }

// want is what the store should know.
func (l *local) want() *Member {
	if l.here() {
		return l.shown
	}
	return nil
}

// settled reports that the store knows what it should.
func (l *local) settled() bool { return l.want() == l.told }

// show works out anew what the member shows, of its connections. It keeps the old
// value if that is the same, because values are compared by their address.
func (l *local) show(remember time.Duration) {
	if l.anonymous {
		remember = 0
	}
	status, info := combine(l.stays)
	m := &Member{Key: l.key, Status: status, Info: info, Remember: remember}
	if l.shown == nil || *l.shown != *m {
		l.shown = m
	}
}

// remove takes a stay out.
func (l *local) remove(s *Stay) {
	for i, have := range l.stays {
		if have == s {
			last := len(l.stays) - 1
			l.stays[i], l.stays[last] = l.stays[last], nil
			l.stays = l.stays[:last]
			return
		}
	}
}

// until is the end of the grace, or zero.
func (l *local) until() (t time.Time) {
	if l.lost != nil {
		t = l.lost.until
	}
	return t
}

// graces are the members without connections, the one whose grace ends first in
// front: a container/heap. An entry that is no longer its member's is void.
type graces []*lost

func (g graces) Len() int           { return len(g) }
func (g graces) Less(i, j int) bool { return g[i].until.Before(g[j].until) }
func (g graces) Swap(i, j int)      { g[i], g[j] = g[j], g[i] }
func (g *graces) Push(x any)        { *g = append(*g, x.(*lost)) }

func (g *graces) Pop() any {
	old := *g
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*g = old[:len(old)-1]
	return last
}

// first returns when the first grace ends, or zero.
func (g graces) first() (t time.Time) {
	if len(g) > 0 {
		t = g[0].until
	}
	return t
}
