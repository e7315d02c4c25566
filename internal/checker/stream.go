package checker

// stream is what one subscriber saw of one channel, in order. The lock of the subscriber
// guards it.
type stream struct {
	steps []step
	open  bool
	at    Position // of what came last, to tell whether more is to come
	// passes is the filter of the subscriber; nil: none.
	passes func(id string) bool
}

type stepKind uint8

const (
	messages stepKind = iota
	subscribed
	gap
	ended
	positioned
)

// step is an event, or messages without an event between them.
type step struct {
	kind      stepKind
	recovered bool
	at        Position
	tick      uint64 // Checker.clock; messages have none
	runs      []run
}

// run is messages whose offsets follow each other. In a channel without positions all
// messages are one run.
type run struct {
	epoch string
	first uint64
	ids   []id
}

func (r *run) last() uint64 { return r.first + uint64(len(r.ids)) - 1 }

// add appends a message to the last run or starts another one.
func (s *step) add(at Position, n id) {
	if len(s.runs) > 0 {
		r := &s.runs[len(s.runs)-1]
		if r.epoch == at.Epoch && (at.Epoch == "" || at.Offset == r.last()+1) {
			r.ids = append(r.ids, n)
			return
		}
	}
	s.runs = append(s.runs, run{epoch: at.Epoch, first: at.Offset, ids: []id{n}})
}

func (s *stream) append(st step) {
	s.steps = append(s.steps, st)
	s.open = s.open && st.kind != ended || st.kind == subscribed
	switch {
	case st.kind == subscribed && st.recovered && len(st.runs) == 0:
		// What was missed is still to come, message by message.
	case st.kind == subscribed || st.kind == gap || st.kind == positioned:
		s.at = st.at
	}
}

func (s *stream) message(at Position, n id) {
	if len(s.steps) == 0 || s.steps[len(s.steps)-1].kind != messages {
		s.steps = append(s.steps, step{kind: messages})
	}
	s.steps[len(s.steps)-1].add(at, n)
	if at.Epoch != s.at.Epoch || at.Offset > s.at.Offset {
		s.at = at
	}
}
