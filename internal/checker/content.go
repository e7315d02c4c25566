package checker

import (
	"maps"
	"slices"
)

// contents compares the messages of a run with those at their positions in the log.
func (j *judge) contents(r *run) {
	e := j.epoch(r.epoch)
	for i, n := range r.ids {
		at := Position{r.epoch, r.first + uint64(i)}
		switch is := e.at.of(at.Offset); {
		case *is == n:
		case *is == 0:
			*is = n
			j.place(n, at)
			j.sender(n, at)
		case slices.Contains(j.older[at], n), j.movedOn(n, at):
			j.stale = extend(j.stale, at.Offset)
		default:
			j.fault(faultAt(Content, at, "got %s instead of %s", j.name(n), j.name(*is)))
		}
	}
}

// extend adds an offset to the last span, or starts another one.
func extend(spans []span, offset uint64) []span {
	if k := len(spans) - 1; k >= 0 && spans[k].last+1 == offset {
		spans[k].last = offset
		return spans
	}
	return append(spans, span{offset, offset})
}

// sender checks that a publisher sent the message. If no publisher was recorded it checks
// nothing.
func (j *judge) sender(n id, at Position) (origin, bool) {
	o, ok := j.sent[n]
	if !ok && len(j.sent) > 0 {
		j.fault(faultAt(Content, at, "%s was never sent", j.name(n)))
	}
	return o, ok
}

// unplaced checks messages without positions.
func (j *judge) unplaced(r *run) {
	for _, n := range r.ids {
		if _, twice := j.seen[n]; twice {
			j.fault(faultAt(Repeat, Position{}, "%s", j.name(n)))
			continue
		}
		j.seen[n] = struct{}{}
		o, ok := j.sender(n, Position{})
		if !ok || o.retried {
			continue
		}
		if last, any := j.orders[o.publisher]; any && last > o.seq {
			j.fault(faultAt(Reorder, Position{}, "%s after a later one of its publisher", j.name(n)))
			continue
		}
		j.orders[o.publisher] = o.seq
	}
}

// undelivered reports messages that were acknowledged and should have reached an open
// subscription.
func (j *judge) undelivered() {
	if j.known {
		if first, last, ok := j.after(j.last); ok {
			j.missing(Undelivered, j.last.Epoch, span{first, last}, "delivery ended at %d", j.last.Offset)
		}
		j.elsewhere()
		return
	}
	for _, s := range j.plain {
		if _, ok := j.seen[s.id]; !ok && j.o.Lossless && s.sent > j.entered {
			j.fault(faultAt(Undelivered, Position{}, "%s", j.name(s.id)))
		}
	}
}

// elsewhere reports another epoch with messages that were sent after the subscriber was
// last put at a position: nobody told it that the log is another one.
func (j *judge) elsewhere() {
	for _, name := range slices.Sorted(maps.Keys(j.epochs)) {
		e := j.epochs[name]
		if name == j.last.Epoch || e.lastSent <= j.entered {
			continue
		}
		i := slices.IndexFunc(e.acked, func(s sending) bool { return s.sent > j.entered })
		s := span{e.acked[i].at.Offset, e.acked[len(e.acked)-1].at.Offset}
		j.fault(faultOver(Undelivered, name, s, "the subscriber was left in epoch %s", j.last.Epoch))
	}
}

// movedOn reports whether the store delivered a message and lost it before the
// acknowledgement: its publisher sent it again, it got another position, and a message of
// somebody else got the old one. Only a rollback explains this.
func (l *ledger) movedOn(n id, from Position) bool {
	now, acknowledged := l.placed[n]
	return l.o.Rollback && acknowledged && now != from
}
