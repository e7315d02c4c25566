package memory

import (
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/guard"
	"github.com/caddy-realtime/caddy-realtime/presence"
)

// presenceRoom is the present and the remembered members of a room.
type presenceRoom struct {
	slot
	table *presenceTable // static after creation

	// All below is guarded by the slot's lock.
	attached []*PresenceStore
	holds    map[string][]presenceHold // by key; no slice is empty
	present  presence.Roster           // what those members show
	gone     presenceMemory
	timer    *time.Timer // of gone; nil: never armed
	dirty    []string    // keys of members of which the journal has another state
	still    bool        // the store is closed: the journal keeps what it has
}

// presenceHold is a node that holds a member, and what the member shows there.
type presenceHold struct {
	node   *PresenceStore
	member *presence.Member
	at     uint64 // orders the holds of all nodes, see presenceTable.clock
}

// bare reports whether the room holds nothing.
func (r *presenceRoom) bare() bool {
	return len(r.attached) == 0 && len(r.holds) == 0 && r.gone.len() == 0
}

func (r *presenceRoom) attach(s *PresenceStore) {
	if !slices.Contains(r.attached, s) {
		r.attached = append(r.attached, s)
	}
}

func (r *presenceRoom) detach(s *PresenceStore) {
	r.attached = slices.DeleteFunc(r.attached, func(o *PresenceStore) bool { return o == s })
}

// notify hands events to all attached nodes.
func (r *presenceRoom) notify(evs []presence.Event) {
	kept := r.kept()
	if len(evs) == 0 && len(kept) == 0 {
		return
	}
	r.table.outbox.recordMembers(r.channel, evs, kept)
	if len(evs) == 0 {
		return
	}
	for _, s := range r.attached {
		s.sink.Changed(r.channel, evs...)
	}
}

func (r *presenceRoom) enter(s *PresenceStore, ms []*presence.Member) {
	if r.holds == nil {
		r.holds = make(map[string][]presenceHold)
	}
	var evs []presence.Event
	for _, m := range ms {
		hold := presenceHold{s, m, r.table.clock.Add(1)}
		holds := r.holds[m.Key]
		if i := slices.IndexFunc(holds, hold.replaces); i >= 0 {
			holds[i] = hold
		} else {
			r.holds[m.Key] = append(holds, hold)
			r.gone.remove(m.Key)
		}
		evs = r.settle(evs, m.Key)
		r.changed(m.Key)
	}
	r.arm()
	r.notify(evs)
}

func (h presenceHold) sameNode(o presenceHold) bool { return h.node == o.node }

// replaces reports whether h takes the place of o. The ghost gives way to every node.
func (h presenceHold) replaces(o presenceHold) bool {
	return h.node == o.node || o.node == h.node.table.ghost
}

func (r *presenceRoom) leave(s *PresenceStore, ds []presence.Departure) {
	var evs []presence.Event
	now := time.Now()
	for _, d := range ds {
		was := r.present.Get(d.Key)
		if !r.release(s, d.Key) {
			continue
		}
		evs = r.settle(evs, d.Key)
		if r.holds[d.Key] == nil {
			r.gone.add(was, now.Add(-d.Ago), now)
		}
		r.changed(d.Key)
	}
	r.arm()
	r.notify(evs)
}

// release removes a node's hold of a member. It returns false if there is none.
func (r *presenceRoom) release(s *PresenceStore, key string) bool {
	holds := r.holds[key]
	i := slices.IndexFunc(holds, presenceHold{node: s}.sameNode)
	switch {
	case i < 0:
		return false
	case len(holds) == 1:
		if delete(r.holds, key); len(r.holds) == 0 {
			r.holds = nil
		}
	default:
		r.holds[key] = slices.Delete(holds, i, i+1)
	}
	return true
}

// settle computes what a member shows now, and appends the event if that has changed.
func (r *presenceRoom) settle(evs []presence.Event, key string) []presence.Event {
	old, now := r.present.Get(key), presenceChoice(r.holds[key])
	switch {
	case now == nil:
		r.present.Delete(key)
		return append(evs, presence.Event{Kind: presence.Left, Member: old})
	case old == nil:
		evs = append(evs, presence.Event{Kind: presence.Entered, Member: now})
	case !old.Same(now):
		evs = append(evs, presence.Event{Kind: presence.Updated, Member: now})
	}
	r.present.Put(now)
	return evs
}

// presenceChoice returns what a member shows that several nodes hold, or nil if none does.
func presenceChoice(holds []presenceHold) *presence.Member {
	if len(holds) == 0 {
		return nil
	}
	status, info, owner := holds[0], holds[0], holds[0].member.Owner
	for _, h := range holds[1:] {
		owner = owner.Or(h.member.Owner)
		rank, best := presence.Rank(h.member.Status), presence.Rank(status.member.Status)
		if rank > best || rank == best && h.at > status.at {
			status = h
		}
		if info.member.Info == "" || h.member.Info != "" && h.at > info.at {
			info = h
		}
	}
	if status.member.Info == info.member.Info && status.member.Owner == owner {
		return status.member
	}
	m := *status.member
	m.Info, m.Owner = info.member.Info, owner
	return &m
}

// leaveAll detaches a closed node and removes all its holds.
func (r *presenceRoom) leaveAll(s *PresenceStore) {
	r.detach(s)
	var ds []presence.Departure
	for key, holds := range r.holds {
		if slices.ContainsFunc(holds, presenceHold{node: s}.sameNode) {
			ds = append(ds, presence.Departure{Key: key})
		}
	}
	r.leave(s, ds)
}

// list answers a query. A key is never both present and remembered.
func (r *presenceRoom) list(q presence.Query) presence.Page {
	limit := max(q.Limit, 0)
	page := presence.Page{Count: r.present.Len()}
	for _, m := range r.present.Page(q.After, limit+1) {
		page.Members = append(page.Members, presence.Listed{Member: m})
	}
	if q.Offline {
		page.Members = append(page.Members, r.gone.page(q.After, limit+1)...)
		slices.SortFunc(page.Members, presenceByKey)
	}
	if page.More = len(page.Members) > limit; page.More {
		page.Members = page.Members[:limit]
	}
	return page
}

// arm sets the timer to when the next member is to be forgotten.
func (r *presenceRoom) arm() {
	switch first, ok := r.gone.first(); {
	case !ok && r.timer != nil:
		r.timer.Stop()
	case ok && r.timer == nil:
		r.timer = time.AfterFunc(time.Until(first), r.forgetDue)
	case ok:
		r.timer.Reset(time.Until(first))
	}
}

// forgetAgain is the time after a panic until members are forgotten again.
const forgetAgain = time.Minute

// forgetDue forgets the members whose time is over.
func (r *presenceRoom) forgetDue() {
	defer guard.Recover(nil, "the expiry of members", r.forgetLater)
	r.table.rooms.use(r, func(r *presenceRoom) {
		r.gone.expire(time.Now())
		r.arm()
		r.notify(nil)
	})
}

// forgetLater schedules forgetDue after a panic, which has left the timer unset.
func (r *presenceRoom) forgetLater() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer.Reset(forgetAgain)
}

// drop forgets one member, unless it came back meanwhile.
func (r *presenceRoom) drop(g *presenceGone) {
	r.table.rooms.use(r, func(r *presenceRoom) {
		if r.gone.times[g.key] == g {
			r.gone.remove(g.key)
			r.arm()
			r.notify(nil)
		}
	})
}

// forget forgets all members that left.
func (r *presenceRoom) forget() {
	r.gone.clear()
	r.arm()
}
