package checker

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// ledger is what is known about one channel: its messages by position, and what was sent.
// Acknowledgements come first. Where there is none, the first delivery decides what stands
// at a position, and the others must agree.
type ledger struct {
	o      Options
	sent   map[id]origin     // empty: publishers were not recorded
	epochs map[string]*epoch // by name
	older  map[Position][]id // what the store forgot and replaced, in rollbacks
	plain  []sending         // acknowledged without a position
	placed map[id]Position   // where a message stands, to find it standing twice
	report func(f Fault)
	name   func(id) string
}

// origin says where a message came from.
type origin struct {
	publisher int
	seq       int
	retried   bool
}

// epoch is one incarnation of the channel's log.
type epoch struct {
	at       slots
	acked    []sending // those that the store did not forget, by offset
	lastSent uint64    // when the last of them was sent
}

// learn adds what a publisher recorded.
func (l *ledger) learn(publisher int, list []sending) {
	for seq, s := range list {
		l.sent[s.id] = origin{publisher: publisher, seq: seq, retried: s.retried || l.retried(s.id)}
		switch {
		case s.acked == 0:
		case s.at.Epoch == "":
			l.plain = append(l.plain, s)
		default:
			e := l.epoch(s.at.Epoch)
			e.acked = append(e.acked, s)
		}
	}
}

// retried reports whether another publisher sent the message before.
func (l *ledger) retried(n id) bool {
	_, ok := l.sent[n]
	return ok
}

func (l *ledger) epoch(name string) *epoch {
	e := l.epochs[name]
	if e == nil {
		e = &epoch{at: make(slots)}
		l.epochs[name] = e
	}
	return e
}

// settle puts the acknowledged messages at their positions.
func (l *ledger) settle() {
	for _, name := range slices.Sorted(maps.Keys(l.epochs)) {
		e := l.epochs[name]
		slices.SortFunc(e.acked, func(a, b sending) int { return cmp.Compare(a.acked, b.acked) })
		for _, s := range e.acked {
			l.enter(s)
		}
		if l.o.Rollback {
			e.acked = remembered(e.acked)
		}
		for _, s := range e.acked {
			e.lastSent = max(e.lastSent, s.sent)
		}
		slices.SortFunc(e.acked, func(a, b sending) int { return cmp.Compare(a.at.Offset, b.at.Offset) })
	}
}

// enter adds one acknowledgement. They come in the order of their time.
func (l *ledger) enter(s sending) {
	at := l.epoch(s.at.Epoch).at.of(s.at.Offset)
	switch old := *at; {
	case old == s.id:
	case old == 0:
		*at = s.id
		l.place(s.id, s.at)
	case l.o.Rollback:
		l.older[s.at] = append(l.older[s.at], old)
		*at = s.id
	default:
		l.report(faultAt(Content, s.at, "acknowledged for %s and for %s", l.name(old), l.name(s.id)))
	}
}

// remembered leaves out the messages that the store forgot: a message that was sent later
// got the same position or an earlier one.
func remembered(acked []sending) []sending {
	later := slices.Clone(acked)
	slices.SortFunc(later, func(a, b sending) int { return cmp.Compare(a.sent, b.sent) })
	lowest := make([]uint64, len(later)+1) // offset of later[i:]
	lowest[len(later)] = math.MaxUint64
	for i := len(later) - 1; i >= 0; i-- {
		lowest[i] = min(lowest[i+1], later[i].at.Offset)
	}
	return slices.DeleteFunc(acked, func(s sending) bool {
		i, _ := slices.BinarySearchFunc(later, s.acked, func(l sending, t uint64) int { return cmp.Compare(l.sent, t) })
		return lowest[i] <= s.at.Offset
	})
}

// place records where a message stands in the log. A message at two places of one epoch was
// published twice, which is right only after a rollback.
func (l *ledger) place(n id, at Position) {
	was, ok := l.placed[n]
	if ok && was.Epoch == at.Epoch && was != at && !l.o.Rollback {
		l.report(faultAt(Repeat, at, "%s stands at %d too", l.name(n), was.Offset))
	}
	l.placed[n] = at
}

// after returns the range of acknowledged offsets after a position.
func (l *ledger) after(at Position) (first, last uint64, ok bool) {
	e := l.epochs[at.Epoch]
	if e == nil {
		return 0, 0, false
	}
	i, _ := slices.BinarySearchFunc(e.acked, at.Offset+1, func(s sending, o uint64) int { return cmp.Compare(s.at.Offset, o) })
	if i == len(e.acked) {
		return 0, 0, false
	}
	return e.acked[i].at.Offset, e.acked[len(e.acked)-1].at.Offset, true
}

// slots are ids by offset, in chunks. Offsets follow each other, but need not start at 1,
// and a wrong one may be anything.
type slots map[uint64]*[chunk]id

const chunk = 512

// of returns the place for an offset.
func (s slots) of(offset uint64) *id {
	c := s[offset/chunk]
	if c == nil {
		c = new([chunk]id)
		s[offset/chunk] = c
	}
	return &c[offset%chunk]
}
