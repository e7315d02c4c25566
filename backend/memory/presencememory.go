package memory

import (
	"container/heap"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

// maxRemembered limits the members that one room remembers. Those that would be forgotten
// first are dropped first.
const maxRemembered = 10_000

// presenceMemory is the members that left a room recently. The room's lock guards it.
type presenceMemory struct {
	room    *presenceRoom   // static after creation
	ledger  *presenceLedger // static after creation
	members presence.Roster
	times   map[string]*presenceGone
	order   presenceOrder
}

// presenceGone says when a member was seen last, and until when it is remembered.
type presenceGone struct {
	room    *presenceRoom // static after creation
	key     string        // static after creation
	seen    time.Time
	expires time.Time
	index   int // in the order

	entry presenceEntry // the ledger's
}

func (p *presenceMemory) len() int { return len(p.order) }

// add remembers a member that has left now, if its options say so.
func (p *presenceMemory) add(m *presence.Member, seen, now time.Time) {
	p.remove(m.Key)
	if m.Remember <= 0 {
		return
	}
	if p.times == nil {
		p.times = make(map[string]*presenceGone)
	}
	g := &presenceGone{room: p.room, key: m.Key, seen: seen, expires: now.Add(m.Remember)}
	p.members.Put(m)
	p.times[m.Key] = g
	heap.Push(&p.order, g)
	p.ledger.add(g, presenceCost(m))
	if len(p.order) > maxRemembered {
		p.remove(p.order[0].key)
	}
}

// remove forgets a member, because it is back or its time is over.
func (p *presenceMemory) remove(key string) {
	g := p.times[key]
	if g == nil {
		return
	}
	p.members.Delete(key)
	delete(p.times, key)
	heap.Remove(&p.order, g.index)
	p.ledger.remove(g)
	p.room.changed(key)
	if len(p.times) == 0 {
		p.members, p.times, p.order = presence.Roster{}, nil, nil // maps do not shrink
	}
}

// clear forgets all members.
func (p *presenceMemory) clear() {
	for len(p.order) > 0 {
		p.remove(p.order[0].key)
	}
}

// first returns when the next member is to be forgotten, if there is one.
func (p *presenceMemory) first() (t time.Time, ok bool) {
	if len(p.order) == 0 {
		return t, false
	}
	return p.order[0].expires, true
}

// expire forgets the members whose time is over.
func (p *presenceMemory) expire(now time.Time) {
	for {
		first, ok := p.first()
		if !ok || first.After(now) {
			return
		}
		p.remove(p.order[0].key)
	}
}

// page returns the members after a key.
func (p *presenceMemory) page(after string, limit int) (page []presence.Listed) {
	for _, m := range p.members.Page(after, limit) {
		page = append(page, presence.Listed{Member: m, LastSeen: p.times[m.Key].seen})
	}
	return page
}

func presenceByKey(a, b presence.Listed) int { return strings.Compare(a.Key, b.Key) }

// presenceOrder is a container/heap. The member that is forgotten next is in front.
type presenceOrder []*presenceGone

func (o presenceOrder) Len() int           { return len(o) }
func (o presenceOrder) Less(i, j int) bool { return o[i].expires.Before(o[j].expires) }

func (o presenceOrder) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].index, o[j].index = i, j
}

func (o *presenceOrder) Push(x any) {
	g := x.(*presenceGone)
	g.index = len(*o)
	*o = append(*o, g)
}

func (o *presenceOrder) Pop() any {
	old := *o
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*o = old[:len(old)-1]
	return last
}
