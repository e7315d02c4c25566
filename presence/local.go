package presence

import (
	"container/heap"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
)

// local is a member of this node: it has connections here, had one a moment ago, or the
// store does not know yet that it left. Guarded by the room's mu.
type local struct {
	key   string
	stays []*Stay
	shown *Member // what it shows because of its connections here
	lost  *lost   // nil: no connection was lost since the latest one entered
	seen  time.Time

	// What the store knows of it.
	stored      *Member // what this node told the store last; nil: that it is not here
	telling     bool    // a call with stored is running
	dirty       bool    // it is in link.dirty
	doubtful    bool    // during the call the store reported that the member left
	unconfirmed bool    // it is in the view, and the store has not confirmed it
}

// lost is the grace of connections that broke.
type lost struct {
	member *local
	until  time.Time
}

// unsure is the value of local.stored when it is not known what the store has. It equals no
// other member, so that the store is told again.
var unsure = new(Member)

// present reports whether the member is present because of this node.
func (l *local) present() bool { return len(l.stays) > 0 || l.lost != nil }

// wanted returns what the store should have.
func (l *local) wanted() *Member {
	if l.present() {
		return l.shown
	}
	return nil
}

// inStore reports whether the store has what it should.
func (l *local) inStore() bool { return l.wanted() == l.stored }

// show recomputes what the member shows. It keeps the old value if nothing has changed,
// because values are compared by their address.
func (l *local) show(o Options) {
	owner := ownerOf(l.stays)
	if owner == Connection { // it can not come back
		o.Remember, o.Grace = 0, 0
	}
	status, info := combine(l.stays)
	m := &Member{Key: l.key, Status: status, Info: info, Remember: o.Remember, Grace: o.Grace, Owner: owner}
	if l.shown == nil || *l.shown != *m {
		l.shown = m
	}
}

// ownerOf returns the owner of a member with these stays, of which there is at least one.
func ownerOf(stays []*Stay) Owner {
	owner := stays[0].owner
	for _, s := range stays[1:] {
		owner = owner.Or(s.owner)
	}
	return owner
}

// remove removes a stay.
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

// until returns the end of the grace, or zero.
func (l *local) until() (t time.Time) {
	if l.lost != nil {
		t = l.lost.until
	}
	return t
}

// graces is a container/heap of the running graces, the one that ends first in front. An
// entry that is no longer local.lost of its member is void.
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

// addStay adds a connection to its member. Needs mu.
func (r *room) addStay(s *Stay, key string, p parsed) {
	l := r.locals[key]
	if l == nil {
		l = &local{key: key}
		r.locals[key] = l
	}
	s.member, l.lost = l, nil
	l.stays = append(l.stays, s)
	r.applySaid(s, p)
}

// applySaid applies a change that a connection makes to its status and info. Needs mu.
func (r *room) applySaid(s *Stay, p parsed) {
	r.clock++
	s.said.apply(p, r.clock)
	r.memberChanged(s.member)
}

// memberChanged applies a change of a member's connections. Needs mu.
func (r *room) memberChanged(l *local) {
	if len(l.stays) > 0 { // otherwise it keeps what it showed, until the grace ends
		l.show(r.options())
	}
	switch {
	case r.partial:
		r.showLocal(l)
	case l.present() && r.view.get(l.key) == nil:
		// Shown before the store confirms it: it is certain, and a failure of the store
		// must not hide it.
		r.view.put(l.shown)
		l.unconfirmed = true
	case !l.present() && l.unconfirmed:
		r.view.drop(l.key) // otherwise the store reports that it left
	}
	r.checkStore(l)
	r.scheduleFlush()
}

// removeStay ends a stay. Needs mu.
func (r *room) removeStay(s *Stay, explicit bool) {
	l := s.member
	if l == nil {
		r.watchers--
		return
	}
	l.remove(s)
	now := time.Now()
	var grace time.Duration
	if !explicit && s.owner != Connection {
		grace = r.grace()
	}
	at := leaveAt(now, l.until(), grace, explicit)
	switch {
	case len(l.stays) > 0:
		if !explicit {
			l.lost = &lost{l, at}
		}
	case at.After(now):
		l.seen, l.lost = now, &lost{l, at}
		heap.Push(&r.graces, l.lost)
	default:
		l.seen, l.lost = now, nil
	}
	r.memberChanged(l)
}

// grace returns the grace of the room. If the options panic it is zero: the stay ends all
// the same, and a member without connections must not remain. Needs mu.
func (r *room) grace() (d time.Duration) {
	guard.Run(r.tracker.logger(), "the grace of a member", func() { d = r.options().Grace })
	return d
}

// expireGraces ends the graces that are over. Needs mu.
func (r *room) expireGraces(now time.Time) {
	for due(r.graces.first(), now) {
		over := heap.Pop(&r.graces).(*lost)
		if l := over.member; l.lost == over && len(l.stays) == 0 {
			l.lost = nil
			r.memberChanged(l)
		}
	}
}
