package auth

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
)

// shareOf divides the turns: one address may have this part of them at once.
const shareOf = 4

// turns limits how many callers work at once. One address may have a quarter of the turns,
// so that others find free ones. The addresses that wait are served in rotation, and the
// callers of one address in the order in which they came. Callers without an address can
// not be told apart and may have all turns.
type turns struct {
	// Static after newTurns.
	most, share int
	room        int // how many callers may wait; 0 means any number

	// Guarded by mu, which is a leaf.
	mu     sync.Mutex
	taken  int
	waits  int                  // callers that wait
	lines  map[netip.Addr]*line // by address
	queued list.List            // *line: those with a caller that may be next
}

// line holds the callers of one address that have a turn or wait for one. The lock of its
// turns guards it.
type line struct {
	addr    netip.Addr
	taken   int
	waiting list.List     // chan struct{}: closed with the turn
	place   *list.Element // in queued; nil when it is not there
}

func newTurns(most int) *turns {
	return &turns{most: most, share: max(1, most/shareOf), lines: make(map[netip.Addr]*line)}
}

// take waits for a turn until ctx ends. It takes a free turn even if ctx has ended, and does not
// wait if too many others do. If it returns true, the caller must call give.
func (t *turns) take(ctx context.Context, from netip.Addr) bool {
	l, turn, at := t.join(from)
	if at == nil {
		return l != nil
	}
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		return !t.leave(l, turn, at)
	}
}

// join takes a free turn and returns a nil place, or puts the caller into the line of its
// address and returns the place. It returns no line if too many callers wait.
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
	if t.full(l) {
		t.queue(l) // it may be a new one
		return nil, nil, nil
	}
	t.waits++
	turn = make(chan struct{})
	at = l.waiting.PushBack(turn)
	t.queue(l)
	return l, turn, at
}

// leave removes a waiting caller from its line. It returns false if the caller got its turn
// in the same moment.
func (t *turns) leave(l *line, turn chan struct{}, at *list.Element) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-turn:
		return false
	default:
	}
	l.waiting.Remove(at)
	t.waits--
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

// next hands free turns to waiting callers. The caller holds mu.
func (t *turns) next() {
	for t.taken < t.most && t.queued.Len() > 0 {
		l := t.queued.Front().Value.(*line)
		t.dequeue(l)
		t.taken++
		t.waits--
		l.taken++
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
		t.queue(l) // behind the others
	}
}

// queue puts a line where it belongs: into queued if one of its callers may be next, and
// out of it otherwise. It drops a line that has no callers. The caller holds mu.
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

// mayTake reports whether an address has less than its share. The caller holds mu.
func (t *turns) mayTake(l *line) bool { return !l.addr.IsValid() || l.taken < t.share }

// full reports whether too many callers wait, of all addresses or of this one, which may have a
// quarter of the places. The caller holds mu.
func (t *turns) full(l *line) bool {
	return t.room > 0 && (t.waits >= t.room || l.addr.IsValid() && l.waiting.Len() >= max(1, t.room/shareOf))
}

// Turns are turns for questions that no [Guard] asks, with a bound on how many callers wait.
type Turns struct{ turns *turns }

// NewTurns returns that many turns, for which at most waiting callers wait. One address may have
// a quarter of the turns, and of the places for waiting.
func NewTurns(most, waiting int) Turns {
	t := newTurns(most)
	t.room = waiting
	return Turns{t}
}

// Take waits for a turn until ctx ends, and does not wait if too many others do. If it returns
// true, the caller must call Give with the same address.
func (t Turns) Take(ctx context.Context, from netip.Addr) bool { return t.turns.take(ctx, from) }

// Give ends a turn of an address.
func (t Turns) Give(from netip.Addr) { t.turns.give(from) }
