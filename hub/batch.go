package hub

import "slices"

// batch is what one broadcast sends to every member, encoded on demand and once
// for each Encoder.
type batch struct {
	events    []Event
	slow      Slow
	selective bool // some events are not for everybody, or not the same for all
	direct    int  // how many events are messages to one member
	forms     []form
}

func newBatch(events []Event, slow Slow) batch {
	b := batch{events: events, slow: slow}
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

// skips reports that nothing of the batch is for c, where that shows at a glance: a
// message to one member in a large room should not cost what one to all does.
func (b *batch) skips(c *Conn) bool { return b.direct == len(b.events) && !c.addressedAny(b.events) }

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
	// frames are the events of a selective batch, in place of bytes: whoever gets only
	// some of them must not keep the others in memory.
	frames [][]byte
}

// form gives the batch in the bytes of a connection's Encoder.
func (b *batch) form(c *Conn) *form {
	for i := range b.forms {
		if b.forms[i].encoder == c.encoder {
			return &b.forms[i]
		}
	}
	f := form{encoder: c.encoder}
	if b.selective {
		f.separate(c, b.events)
	} else {
		f.join(c, b.events)
	}
	b.forms = append(b.forms, f)
	return &b.forms[len(b.forms)-1]
}

// join makes bytes of the events.
func (f *form) join(c *Conn, events []Event) {
	f.ends = make([]int, len(events))
	for i, ev := range events {
		f.bytes = c.encode(f.bytes, ev)
		f.ends[i] = len(f.bytes)
	}
}

// separate makes frames of the events.
func (f *form) separate(c *Conn, events []Event) {
	f.frames = make([][]byte, len(events))
	for i, ev := range events {
		f.frames[i] = c.encode(nil, ev)
	}
}

// encode appends an event of a broadcast. Where the Encoder panics, a gap stands for
// the message, because to close the connections would take from all of them what one
// event has spoiled, and again when they recover it.
func (c *Conn) encode(dst []byte, ev Event) (out []byte) {
	defer func() {
		if v := recover(); v != nil {
			c.hub.panicked("an encoder", v)
			out = dst
			if m, ok := ev.(*Message); ok && m.Direct == nil {
				out = c.encoder.AppendEvent(dst, Gap{m.Channel, m.Position})
			}
		}
	}()
	return c.encoder.AppendEvent(dst, ev)
}

// cut finds where n bytes end: before an event, or in it.
func (f *form) cut(n int) (event int, in bool) {
	event, _ = slices.BinarySearch(f.ends, n+1)
	return event, n > f.start(event)
}

// event returns the bytes of one event.
func (f *form) event(i int) []byte {
	if f.frames != nil {
		return f.frames[i]
	}
	return f.bytes[f.start(i):f.ends[i]:f.ends[i]]
}

func (f *form) start(i int) int {
	if i == 0 {
		return 0
	}
	return f.ends[i-1]
}
