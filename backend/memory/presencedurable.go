package memory

import (
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// MemberKey names a member of a room.
type MemberKey struct{ Channel, Key string }

// SavedMember is a member as a [Journal] keeps it.
type SavedMember struct {
	*presence.Member
	// Gone says that the member has left and is remembered. Seen and Expires are those of a
	// remembered member.
	Gone          bool
	Seen, Expires time.Time
}

// Restore adds the members that a journal has. Those that were present are present until their
// grace is over, and then leave unless they have entered again. A grace lasts at least as long as
// given, because clients return from a restart later than from a lost connection. Members
// without a grace leave at once. Restore is called before the store is used, with an outbox that
// has the journal.
func (s *PresenceStore) Restore(saved map[MemberKey]*SavedMember, least time.Duration) {
	by := make(map[time.Duration][]MemberKey) // by grace
	ghost := &PresenceStore{table: s.table}
	s.table.ghost = ghost
	for k, m := range saved {
		s.table.rooms.in(k.Channel, func(r *presenceRoom) {
			if m.Gone {
				r.gone.restore(m)
			} else {
				r.haunt(m.Member)
			}
			r.arm()
		})
		if !m.Gone {
			grace := m.Grace
			if grace > 0 {
				grace = max(grace, least)
			}
			by[grace] = append(by[grace], k)
		}
	}
	s.table.fit()
	for grace, members := range by {
		t := time.AfterFunc(grace, func() { s.leaveGhosts(members, grace) })
		s.table.graces = append(s.table.graces, t)
	}
}

// haunt makes a member present that the process before had. The node that holds it has no sink.
func (r *presenceRoom) haunt(m *presence.Member) {
	if r.holds == nil {
		r.holds = make(map[string][]presenceHold)
	}
	r.holds[m.Key] = []presenceHold{{r.table.ghost, m, r.table.clock.Add(1)}}
	r.present.Put(m)
}

// leaveGhosts lets members leave that have not come back within their grace.
func (s *PresenceStore) leaveGhosts(members []MemberKey, grace time.Duration) {
	defer guard.Recover(nil, "the end of a grace after a restart")
	for _, k := range members {
		s.leaveGhost(k, grace)
	}
	s.table.fit()
}

// leaveGhost lets a member leave. A panic costs only its turn.
func (s *PresenceStore) leaveGhost(k MemberKey, grace time.Duration) {
	defer guard.Recover(nil, "the end of a grace after a restart")
	s.table.rooms.in(k.Channel, func(r *presenceRoom) {
		r.leave(r.table.ghost, []presence.Departure{{Key: k.Key, Ago: grace}})
	})
}

// restore remembers a member as it was kept.
func (p *presenceMemory) restore(m *SavedMember) {
	if left := time.Until(m.Expires); left > 0 {
		gone := *m.Member
		gone.Remember = left
		p.add(&gone, m.Seen, time.Now())
		return
	}
	p.room.changed(m.Key) // so that it leaves the journal
}

// changed notes that the journal is to have another state of a member. Needs the room's lock.
func (r *presenceRoom) changed(key string) {
	if r.table.outbox.keeps() && !r.still {
		r.dirty = append(r.dirty, key)
	}
}

// kept returns the state of the members that have changed, and forgets that they have.
func (r *presenceRoom) kept() map[MemberKey]*SavedMember {
	if len(r.dirty) == 0 {
		return nil
	}
	kept := make(map[MemberKey]*SavedMember, len(r.dirty))
	for _, key := range r.dirty {
		var is *SavedMember
		if m := r.present.Get(key); m != nil {
			is = &SavedMember{Member: m}
		} else if g := r.gone.times[key]; g != nil {
			is = &SavedMember{Member: r.gone.members.Get(key), Gone: true, Seen: g.seen, Expires: g.expires}
		}
		kept[MemberKey{r.channel, key}] = is
	}
	r.dirty = nil
	return kept
}

// stop detaches a node from a room whose members are in the journal: they have not left. Needs the
// room's lock.
func (r *presenceRoom) stop(s *PresenceStore) {
	r.detach(s)
	r.still = true
	r.holds, r.present = nil, presence.Roster{}
	r.forget()
}

// keeps reports whether the outbox has a journal.
func (o *Outbox) keeps() bool { return o != nil && o.journal.to != nil }
