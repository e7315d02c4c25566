package notify

import (
	"slices"
	"time"
)

// maxHeld bounds the events that a sink holds back in one queue. They are written to the store with
// each batch. Beyond it the oldest are sent before their time.
const maxHeld = 1000

// settle takes the ends of a batch out of it that the sink holds back: a room that was vacated, a
// member that left. It returns what is to be sent, and what is held from now on. If the opposite
// event follows in time, neither of the two is sent. The outcome depends on the batch alone, so
// that the next sender comes to the same if this one dies.
func (s *Sink) settle(b Batch) (send, held []Event) {
	h := holding{hold: s.Hold, held: slices.Clone(b.Held)}
	for _, e := range b.Events {
		h.add(e)
	}
	h.end(b.Formed) // the same for the next sender
	return h.send, h.held
}

// holding is one run of [Sink.settle].
type holding struct {
	hold       time.Duration
	send, held []Event // held is in the order of the events
}

func (h *holding) add(e Event) {
	h.end(e.Time)
	switch e.Type {
	case Vacated, Left:
		if h.hold > 0 {
			e.Status, e.Info = "", nil // nobody is shown these, and the store keeps the rest
			h.held = append(h.held, e)
			return
		}
	case Occupied, Entered:
		if i := slices.IndexFunc(h.held, func(end Event) bool { return opposite(&end, &e) }); i >= 0 {
			h.held = slices.Delete(h.held, i, i+1)
			return
		}
	}
	h.send = append(h.send, e)
}

// end sends what was held for long enough, and what is too much.
func (h *holding) end(now time.Time) {
	n := max(len(h.held)-maxHeld, 0)
	for n < len(h.held) && now.Sub(h.held[n].Time) >= h.hold {
		n++
	}
	h.send, h.held = append(h.send, h.held[:n]...), h.held[n:]
}

// opposite reports whether e takes back what end reports.
func opposite(end, e *Event) bool {
	if end.Channel != e.Channel {
		return false
	}
	return end.Type == Vacated && e.Type == Occupied || end.Type == Left && e.Type == Entered && end.User == e.User
}

// dueIn returns when something that is held is to be sent next; zero for never.
func (s *Sink) dueIn(b Batch) time.Time {
	if len(b.Held) == 0 {
		return time.Time{}
	}
	return time.Now().Add(b.Held[0].Time.Add(s.Hold).Sub(b.Formed.Add(b.Age)))
}
