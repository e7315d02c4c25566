package checker

import (
	"math"
	"slices"
)

// judge checks what one subscriber saw of one channel. The result depends on the steps and
// the ledger alone.
type judge struct {
	*ledger
	subscriber string
	filter     func(id string) bool // nil: all messages pass

	open    bool
	entered uint64 // tick of what put the subscriber where it goes on from
	known   bool   // last is
	last    Position
	owed    uint64 // a recovery promised everything up to here
	holes   []span // offsets that were passed over and did not come yet
	stale   []span // offsets seen before the store forgot them

	seen   map[id]struct{} // in a channel without positions
	orders map[int]int     // publisher -> number of its latest message
}

// span is a range of offsets.
type span struct{ first, last uint64 }

func (j *judge) step(s *step) {
	switch s.kind {
	case subscribed:
		j.subscribed(s)
	case gap:
		if !j.open {
			j.fault(faultAt(Stray, s.at, "a gap outside a subscription"))
		}
		j.restart(s.at, s.tick)
	case ended:
		j.open = false
	case positioned:
		j.positioned(s)
	case messages:
		for i := range s.runs {
			j.live(&s.runs[i])
		}
	}
}

func (j *judge) subscribed(s *step) {
	j.open = true
	switch {
	case s.at.Epoch == "" && len(s.runs) == 0:
		j.restart(s.at, s.tick)
	case !s.recovered:
		j.restart(s.at, s.tick)
		j.page(s)
	case j.known && (s.at.Epoch != j.last.Epoch || s.at.Offset < j.last.Offset):
		j.fault(faultAt(Missing, s.at, "recovered, although the last position was %s", j.last))
		j.restart(s.at, s.tick)
	default:
		if !j.known { // it recovers from a position of an earlier run
			j.restart(s.at, s.tick)
			if len(s.runs) > 0 {
				j.last.Offset = s.runs[0].first - 1
			}
		}
		for i := range s.runs {
			j.live(&s.runs[i])
		}
		j.owed = s.at.Offset
	}
}

// restart puts the subscriber at a position. It was told that it missed the messages
// before. Holes from before that were silent all the same.
func (j *judge) restart(at Position, tick uint64) {
	j.flush()
	j.known, j.last, j.entered, j.owed, j.stale = at.Epoch != "", at, tick, 0, nil
}

// flush reports the holes.
func (j *judge) flush() {
	for _, h := range j.holes {
		j.fault(faultOver(Missing, j.last.Epoch, h, "never came, later ones did"))
	}
	j.holes = nil
}

// page checks the history that came with a subscription: the newest messages up to its
// position.
func (j *judge) page(s *step) {
	for i := range s.runs {
		r := &s.runs[i]
		j.contents(r)
		j.unwanted(r)
		end := s.at.Offset
		if i < len(s.runs)-1 {
			end = s.runs[i+1].first - 1
		}
		if r.epoch != s.at.Epoch || r.last() > end {
			j.fault(faultOver(Reorder, r.epoch, span{r.first, r.last()}, "in the history up to %s", s.at))
		} else if r.last() < end {
			j.missing(Missing, r.epoch, span{r.last() + 1, end}, "in the history up to %s", s.at)
		}
	}
}

// live checks delivered messages.
func (j *judge) live(r *run) {
	if !j.open {
		j.fault(faultOver(Stray, r.epoch, span{r.first, r.last()}, "outside a subscription"))
		return
	}
	if r.epoch == "" {
		j.unplaced(r)
		return
	}
	if j.known && r.epoch != j.last.Epoch {
		j.fault(faultAt(Missing, Position{r.epoch, r.first}, "the epoch changed from %s without a gap", j.last.Epoch))
		j.entered = math.MaxUint64 // reported already; messages that the old epoch still took are no further fault
	}
	if !j.known || r.epoch != j.last.Epoch {
		j.restart(Position{r.epoch, r.first - 1}, j.entered)
	}
	j.contents(r)
	j.unwanted(r)
	first, last := r.first, r.last()
	if first <= j.last.Offset {
		j.late(first, min(last, j.last.Offset))
	} else if first > j.last.Offset+1 {
		j.skip(span{j.last.Offset + 1, first - 1})
	}
	j.last.Offset = max(j.last.Offset, last)
}

// late judges messages at or before the last position. Those that fill a hole are out of
// order, the others are repeats.
func (j *judge) late(first, last uint64) {
	for first <= last {
		i := slices.IndexFunc(j.holes, func(h span) bool { return h.last >= first })
		if i < 0 || j.holes[i].first > last {
			j.fault(faultOver(Repeat, j.last.Epoch, span{first, last}, "at or before %d", j.last.Offset))
			return
		}
		h := j.holes[i]
		if h.first > first {
			j.fault(faultOver(Repeat, j.last.Epoch, span{first, h.first - 1}, "at or before %d", j.last.Offset))
			first = h.first
		}
		end := min(last, h.last)
		j.fault(faultOver(Reorder, j.last.Epoch, span{first, end}, "after %d", j.last.Offset))
		j.holes = slices.Replace(j.holes, i, i+1, parts(h, first, end)...)
		first = end + 1
	}
}

// parts returns what remains of h without first to last.
func parts(h span, first, last uint64) (rest []span) {
	if h.first < first {
		rest = append(rest, span{h.first, first - 1})
	}
	if last < h.last {
		rest = append(rest, span{last + 1, h.last})
	}
	return rest
}

// end judges what is open at the end of the stream.
func (j *judge) end() {
	j.flush()
	if !j.open {
		return
	}
	for _, s := range j.stale {
		j.fault(faultOver(Content, j.last.Epoch, s, "the store replaced it, and no gap said so"))
	}
	if j.known && j.owed > j.last.Offset {
		j.missing(Missing, j.last.Epoch, span{j.last.Offset + 1, j.owed}, "recovered, but never came")
		j.last.Offset = j.owed
	}
	j.undelivered()
}
