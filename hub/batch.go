package hub

// batch is what one broadcast sends to every member, encoded on demand and once
// for each Encoder.
type batch struct {
	events    []Event
	slow      Slow
	selective bool // some events are not for everybody, or not the same for all
	direct    int  // how many events are messages to one member
	forms     []form
}

func newBatch(events []Event, slow Slow) *batch {
	b := &batch{events: events, slow: slow}
	for _, ev := range events {
		switch ev := ev.(type) {
		case *Message:
			if ev.Direct != nil {
				b.direct++
				b.selective = true
			}
		case Selective, Personal:
			b.selective = true
		}
	}
	return b
}

// passes reports that nothing of the batch is for c, where that shows at a glance: a
// message to one member in a large room should not cost what one to all does.
func (b *batch) passes(c *Conn) bool { return b.direct == len(b.events) && !c.addressedAny(b.events) }

// eventsFor are the events without messages to others.
func (b *batch) eventsFor(c *Conn) []Event {
	if b.direct == 0 {
		return b.events
	}
	var own []Event
	for _, ev := range b.events {
		if c.addressed(ev) {
			own = append(own, ev)
		}
	}
	return own
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
