package auth

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
)

// shareOf is which part of the turns one address may have at a time.
const shareOf = 4

// turns lets a number of callers work at a time. One address may have a quarter of the
// turns and no more, so that the rest is there for others. Of those who wait the
// addresses take turns, and within an address the one who has waited longest. Callers
// without an address, who all look the same, may have all turns.
type turns struct {
	// Static after newTurns.
	most, share int

	// Guarded by mu, which is a leaf.
	mu     sync.Mutex
	taken  int
	lines  map[netip.Addr]*line // of the addresses that have a turn or wait for one
	queued list.List            // *line: those with somebody who could be next
}

// line is an address that has turns or waits for them. The lock of its turns guards it.
type line struct {
	addr    netip.Addr
	taken   int
	waiting list.List     // chan struct{}: closed with the turn
	place   *list.Element // in queued; nil when it is not there
}

func newTurns(most int) *turns {
	return &turns{most: most, share: max(1, most/shareOf), lines: make(map[netip.Addr]*line)}
}

// take waits for a turn until ctx ends. A turn that is free is taken even if ctx has
// ended. True: call give.
func (t *turns) take(ctx context.Context, from netip.Addr) bool {
	l, turn, at := t.join(from)
	if at == nil {
		return true
	}
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		return !t.quit(l, turn, at)
	}
}

// join takes a turn, or a place in the line of an address, which is not nil then.
func (t *turns) join(from netip.Addr) (l *line, turn chan struct{}, at *list.Element) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l = t.lines[from]; l == nil {
		l = &line{addr: from}
		t.lines[from] = l
	}
	if t.taken < t.most && t.mayTake(l) {
		t.taken++
		l.taken++
		return l, nil, nil
	}
	turn = make(chan struct{})
	at = l.waiting.PushBack(turn)
	t.queue(l)
	return l, turn, at
}

// quit leaves the line. False: the turn had come just then.
func (t *turns) quit(l *line, turn chan struct{}, at *list.Element) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-turn:
		return false
	default:
	}
	l.waiting.Remove(at)
	t.queue(l)
	return true
}

// give ends a turn of an address.
func (t *turns) give(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[from]
	t.taken--
	l.taken--
	t.queue(l)
	t.next()
}

// next gives turns that are free to those who wait. Needs mu.
func (t *turns) next() {
	for t.taken < t.most && t.queued.Len() > 0 {
		l := t.queued.Front().Value.(*line)
		t.dequeue(l)
		t.taken++
		l.taken++
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
		t.queue(l) // behind the others
	}
}

// queue puts a line where it belongs: among those that could be next, or not, or away
// when the address has nothing to do here any more. Needs mu.
func (t *turns) queue(l *line) {
	switch could := l.waiting.Len() > 0 && t.mayTake(l); {
	case could && l.place == nil:
		l.place = t.queued.PushBack(l)
	case !could:
		t.dequeue(l)
	}
	if l.taken == 0 && l.waiting.Len() == 0 {
		delete(t.lines, l.addr)
	}
}

func (t *turns) dequeue(l *line) {
	if l.place != nil {
		t.queued.Remove(l.place)
		l.place = nil
	}
}

// mayTake reports whether an address has less than its share. Needs mu.
func (t *turns) mayTake(l *line) bool { return !l.addr.IsValid() || l.taken < t.share }
