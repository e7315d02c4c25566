package hub

// batch is what one broadcast sends to every member, encoded on demand and once
// for each Encoder.
type batch struct {
	events    []Event
	slow      Slow
	selective bool // some events are not for everybody, or not the same for all
	forms     []form
}

func newBatch(events []Event, slow Slow) *batch {
	b := &batch{events: events, slow: slow}
	for _, ev := range events {
		switch ev.(type) {
		case Selective, Personal:
			b.selective = true
		}
	}
	return b
}

// form is a batch in the bytes of one Encoder. The bytes are shared by all
// connections and never changed.
type form struct {
	encoder Encoder
	bytes   []byte
	ends    []int // where each event ends in bytes
}

func (b *batch) form(e Encoder) *form {
	for i := range b.forms {
		if b.forms[i].encoder == e {
			return &b.forms[i]
		}
	}
	f := form{encoder: e, ends: make([]int, len(b.events))}
	for i, ev := range b.events {
		f.bytes = e.AppendEvent(f.bytes, ev)
		f.ends[i] = len(f.bytes)
	}
	b.forms = append(b.forms, f)
	return &b.forms[len(b.forms)-1]
}

// event returns the bytes of one event.
func (f *form) event(i int) []byte {
	start := 0
	if i > 0 {
		start = f.ends[i-1]
	}
	return f.bytes[start:f.ends[i]:f.ends[i]]
}
