package memory

import (
	"sync"

	"github.com/caddy-realtime/caddy-realtime/presence"
)

const (
	// maxRememberedInAll and maxRememberedBytes limit the members that all rooms together
	// remember, by number and by an estimate of their bytes.
	maxRememberedInAll = 100_000
	maxRememberedBytes = 64 << 20

	// presenceGoneBytes is what a remembered member costs in addition to its texts. It is
	// the cost of a member that is alone in its room, because many short stays in many
	// rooms cost most.
	presenceGoneBytes = 1280
)

// presenceCost estimates the bytes of a remembered member.
func presenceCost(m *presence.Member) int64 {
	return presenceGoneBytes + int64(len(m.Key)+len(m.Status)+len(m.Info))
}

// presenceLedger has the remembered members of all rooms, in the order in which they left.
type presenceLedger struct {
	// Set when it is made.
	most      int
	mostBytes int64

	mu             sync.Mutex
	oldest, newest *presenceGone
	count          int
	bytes          int64
}

// presenceEntry is the place of a remembered member in the ledger. The ledger's lock
// guards it.
type presenceEntry struct {
	older, newer *presenceGone
	bytes        int64
	in           bool
}

func (l *presenceLedger) add(g *presenceGone, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g.entry = presenceEntry{older: l.newest, bytes: bytes, in: true}
	if l.newest != nil {
		l.newest.entry.newer = g
	} else {
		l.oldest = g
	}
	l.newest = g
	l.count++
	l.bytes += bytes
}

// remove removes a member, if it is in the ledger.
func (l *presenceLedger) remove(g *presenceGone) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unlink(g)
}

// excess removes and returns the member that left first, if there are too many members.
func (l *presenceLedger) excess() *presenceGone {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.oldest
	if g == nil || l.count <= l.most && l.bytes <= l.mostBytes {
		return nil
	}
	l.unlink(g)
	return g
}

// unlink removes a member. The caller holds mu.
func (l *presenceLedger) unlink(g *presenceGone) {
	e := g.entry
	if !e.in {
		return
	}
	if e.older != nil {
		e.older.entry.newer = e.newer
	} else {
		l.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.entry.older = e.older
	} else {
		l.newest = e.older
	}
	g.entry = presenceEntry{}
	l.count--
	l.bytes -= e.bytes
}

// fit drops the members that left first until the others are within the bounds. It is
// called without locks.
func (t *presenceTable) fit() {
	for g := t.gone.excess(); g != nil; g = t.gone.excess() {
		g.room.drop(g)
	}
}
