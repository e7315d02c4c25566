package history

import (
	"math"
	"time"
)

// Bounds say what a log keeps. The fields are those of hub.Retention.
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
	// Cost is what the entry adds to [Log.Bytes]. The log cannot measure a value
	// by itself.
	Cost int
}

// slot is an entry as it is kept. It is small because there are many.
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

// New makes an empty log that goes on after at: {Epoch: NewEpoch()} for a room
// that begins, any position for a copy of a log that is kept elsewhere.
func New[T any](at Position, now time.Time) *Log[T] {
	return &Log[T]{epoch: at.Epoch, born: now, top: at.Offset, anchor: at.Anchor, before: at.Anchor}
}

// Append adds e as the newest entry and returns its position. Entries that b does
// not allow any longer go first, so that the buffer never holds more than b.Size.
func (l *Log[T]) Append(now time.Time, e Entry[T], b Bounds) Position {
	l.Trim(now, Bounds{Size: max(b.Size-1, 0), TTL: b.TTL})
	l.top++
	l.anchor = e.Anchor
	if b.Size <= 0 {
		l.before = e.Anchor
		return l.Top()
	}
	// A clock that goes backwards must not put a younger age behind an older one:
	// expiry looks at the oldest entry alone.
	l.last = max(l.last, now.Sub(l.born))
	cost := uint32(min(max(e.Cost, 0), math.MaxUint32))
	l.slots.push(slot[T]{value: e.Value, age: l.last, anchor: e.Anchor, cost: cost}, b.Size)
	l.bytes += int(cost)
	return l.Top()
}

// Trim drops what b does not allow at the time now. Reads do not look at the
// bounds: trim before them.
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

// Reduce drops the oldest entries until the log costs no more than the given
// number of bytes.
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

// Top is the position of the newest entry, kept or not.
func (l *Log[T]) Top() Position { return Position{l.epoch, l.top, l.anchor} }

// Len is the number of entries that are kept.
func (l *Log[T]) Len() int { return l.slots.n }

// Bytes is the sum of the costs of the entries that are kept.
func (l *Log[T]) Bytes() int { return l.bytes }

// Extent is how far the log reaches.
func (l *Log[T]) Extent() Extent {
	return Extent{Top: l.Top(), First: l.top + 1 - uint64(l.slots.n)}
}
