package history

import (
	"math"
	"time"
)

// Bounds say what a log keeps. It has the fields of hub.Retention.
type Bounds struct {
	// Size is the greatest number of entries; 0 keeps none.
	Size int
	// TTL is how long an entry is kept; 0 means as long as Size allows.
	TTL time.Duration
}

// Entry is what is appended to a log.
type Entry[T any] struct {
	Value T
	// Anchor is the short hash of the value that becomes part of its position.
	Anchor uint32
	// Cost is what the entry adds to [Log.Bytes]. The log cannot measure a value.
	Cost int
}

// slot is an entry in a log. It is small because there are many.
type slot[T any] struct {
	value  T
	age    time.Duration // time of the append, counted from the log's birth
	anchor uint32
	cost   uint32
}

// Log keeps the newest entries of one epoch. Make one with [New]. It is not safe
// for use by several goroutines at once.
type Log[T any] struct {
	epoch string
	born  time.Time

	slots  ring[slot[T]]
	last   time.Duration // age of the newest entry
	bytes  int
	top    uint64 // offset of the newest entry, kept or not
	anchor uint32 // of the entry at top
	before uint32 // of the entry before the oldest that is kept
}

// New returns an empty log whose next entry follows at. For a new room that is {Epoch:
// NewEpoch()}; for a copy of another log it is any position.
func New[T any](at Position, now time.Time) *Log[T] {
	return &Log[T]{epoch: at.Epoch, born: now, top: at.Offset, anchor: at.Anchor, before: at.Anchor}
}

// Append adds e as the newest entry and returns its position. It first drops the entries
// that b no longer allows, so that the buffer never holds more than b.Size.
func (l *Log[T]) Append(now time.Time, e Entry[T], b Bounds) Position {
	l.Trim(now, Bounds{Size: max(b.Size-1, 0), TTL: b.TTL})
	l.top++
	l.anchor = e.Anchor
	if b.Size <= 0 {
		l.before = e.Anchor
		return l.Top()
	}
	// If the clock is set back, the ages must not decrease: expiry checks the oldest entry
	// first.
	l.last = max(l.last, now.Sub(l.born))
	cost := uint32(min(max(e.Cost, 0), math.MaxUint32))
	l.slots.push(slot[T]{value: e.Value, age: l.last, anchor: e.Anchor, cost: cost}, b.Size)
	l.bytes += int(cost)
	return l.Top()
}

// Replace replaces the entry at an offset by what f makes of it. Its position stays, also its
// anchor, so that readers of the log notice nothing. It returns false if the log does not have
// the entry.
func (l *Log[T]) Replace(offset uint64, f func(T) Entry[T]) bool {
	first := l.top + 1 - uint64(l.slots.n)
	if offset < first || offset > l.top {
		return false
	}
	s := l.slots.at(int(offset - first))
	e := f(s.value)
	l.bytes += e.Cost - int(s.cost)
	s.value, s.cost = e.Value, uint32(min(max(e.Cost, 0), math.MaxUint32))
	return true
}

// Trim drops the entries that b does not allow at the time now. Reads do not apply the
// bounds: call Trim before them.
func (l *Log[T]) Trim(now time.Time, b Bounds) {
	n := max(l.slots.n-max(b.Size, 0), 0)
	if b.TTL > 0 {
		dead := now.Sub(l.born) - b.TTL
		for n < l.slots.n && l.slots.at(n).age <= dead {
			n++
		}
	}
	l.drop(n)
}

// Reduce drops the oldest entries until [Log.Bytes] is at most bytes.
func (l *Log[T]) Reduce(bytes int) {
	n, left := 0, l.bytes
	for n < l.slots.n && left > bytes {
		left -= int(l.slots.at(n).cost)
		n++
	}
	l.drop(n)
}

func (l *Log[T]) drop(n int) {
	if n == 0 {
		return
	}
	for i := range n {
		l.bytes -= int(l.slots.at(i).cost)
	}
	l.before = l.slots.at(n - 1).anchor
	l.slots.drop(n)
}

// Top returns the position of the newest entry, even if that is no longer kept.
func (l *Log[T]) Top() Position { return Position{l.epoch, l.top, l.anchor} }

// Len returns the number of entries.
func (l *Log[T]) Len() int { return l.slots.n }

// Bytes returns the sum of the costs of the entries.
func (l *Log[T]) Bytes() int { return l.bytes }

// Extent returns the range of entries that the log has.
func (l *Log[T]) Extent() Extent {
	return Extent{Top: l.Top(), First: l.top + 1 - uint64(l.slots.n)}
}

// Newest returns the newest entries, at most limit, oldest first.
func (l *Log[T]) Newest(limit int) []T {
	n := min(max(limit, 0), l.slots.n)
	return l.values(l.slots.n-n, n)
}

// Since returns the entries after a position, at most limit, oldest first. If the outcome is
// [Outcome.Lost], they are the oldest entries of the log, with which a reader may start
// again.
func (l *Log[T]) Since(since Position, limit int) ([]T, Outcome) {
	e := l.Extent()
	o := e.Decide(since, l.anchorAt(since), limit)
	skip := 0
	if !o.Lost() {
		skip = int(since.Offset + 1 - e.First)
	}
	return l.values(skip, min(max(limit, 0), l.slots.n-skip)), o
}

// anchorAt returns the anchor of the log's entry at the offset of p, or 0 if it is not known
// any more. The log knows the anchor of the entry before the oldest one, because a reader
// that stopped there misses nothing.
func (l *Log[T]) anchorAt(p Position) uint32 {
	switch first := l.top + 1 - uint64(l.slots.n); {
	case p.Offset > l.top || p.Offset+1 < first:
		return 0
	case p.Offset+1 == first:
		return l.before
	default:
		return l.slots.at(int(p.Offset - first)).anchor
	}
}

// values copies n entries, starting with the skip-th oldest.
func (l *Log[T]) values(skip, n int) []T {
	if n <= 0 {
		return nil
	}
	vs := make([]T, n)
	for i := range vs {
		vs[i] = l.slots.at(skip + i).value
	}
	return vs
}
