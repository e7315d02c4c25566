package presence

import (
	"slices"
	"strings"
)

// view is what this node knows of a room: the members that were announced, and the changes
// that are not announced yet. A change of a member replaces the pending one. So entering
// and leaving within a window cancel out, and an update just after entering becomes part
// of the entering. Guarded by the room's mu.
type view struct {
	announced Roster
	pending   map[string]*Member // nil: left
}

// get returns a member with its pending change, or nil.
func (v *view) get(key string) *Member {
	if m, ok := v.pending[key]; ok {
		return m
	}
	return v.announced.Get(key)
}

// size is how many members there are with the pending changes.
func (v *view) size() int {
	n := v.announced.Len()
	for key, m := range v.pending {
		switch old := v.announced.Get(key); {
		case m == nil && old != nil:
			n--
		case m != nil && old == nil:
			n++
		}
	}
	return n
}

// put sets what a member shows now.
func (v *view) put(m *Member) { v.set(m.Key, m) }

// drop notes that a member left.
func (v *view) drop(key string) { v.set(key, nil) }

func (v *view) set(key string, m *Member) {
	if v.announced.Get(key).Same(m) {
		delete(v.pending, key)
		return
	}
	if v.pending == nil {
		v.pending = make(map[string]*Member)
	}
	v.pending[key] = m
}

// changes is what a flush announces.
type changes struct {
	entered, updated, left []*Member
	renewed                []*Member // of updated, see [Diff]
}

// flush applies the pending changes to the announced members and returns them.
func (v *view) flush() changes {
	var c changes
	for key, m := range v.pending {
		old := v.announced.Get(key)
		switch {
		case m == nil:
			v.announced.Delete(key)
			c.left = append(c.left, old)
			continue
		case old == nil:
			c.entered = append(c.entered, m)
		default:
			c.updated = append(c.updated, m)
			if m.Info != old.Info {
				c.renewed = append(c.renewed, m)
			}
		}
		v.announced.Put(m)
	}
	v.pending = nil
	byKey(c.entered)
	byKey(c.updated)
	byKey(c.renewed)
	byKey(c.left)
	return c
}

func byKey(ms []*Member) {
	slices.SortFunc(ms, func(a, b *Member) int { return strings.Compare(a.Key, b.Key) })
}

// replace makes list the new state. Members for which keep returns true stay as they are.
func (v *view) replace(list []*Member, keep func(key string) bool) {
	listed := make(map[string]bool, len(list))
	for _, m := range list {
		listed[m.Key] = true
		if !keep(m.Key) {
			v.put(m)
		}
	}
	for _, key := range v.keys() {
		if !listed[key] && !keep(key) {
			v.drop(key)
		}
	}
}

// keys returns all keys that are announced or pending, in no order.
func (v *view) keys() []string {
	keys := make([]string, 0, v.announced.Len()+len(v.pending))
	for m := range v.announced.All() {
		keys = append(keys, m.Key)
	}
	for key := range v.pending {
		keys = append(keys, key)
	}
	return keys
}

// page returns a page of the announced state.
func (v *view) page(after string, limit int) *Snapshot {
	s := &Snapshot{After: after, Members: v.announced.Page(after, limit+1), Count: v.announced.Len()}
	if len(s.Members) > limit {
		s.Members = s.Members[:limit:limit]
		s.Next = s.Members[limit-1].Key
	}
	return s
}
