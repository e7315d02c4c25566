package hub

import "slices"

// batch is what one broadcast sends to the members of a room. It is encoded when the
// first member needs it, once for each Encoder.
type batch struct {
	events    []Event
	slow      Slow
	selective bool // some events are for a part of the members, or differ between members
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

// skips reports whether the batch has only messages to other members than c. This quick
// check keeps a message to one member of a large room cheap.
func (b *batch) skips(c *Conn) bool { return b.direct == len(b.events) && !c.addressedAny(b.events) }

// eventsFor returns the events without the messages to other members.
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
	// frames hold the events of a selective batch in place of bytes: a queue that gets some
	// of the events must not keep the others in memory.
	frames [][]byte
}

// form returns the batch in the bytes of the connection's Encoder.
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

// join encodes the events into bytes.
func (f *form) join(c *Conn, events []Event) {
	f.ends = make([]int, len(events))
	for i, ev := range events {
		f.bytes = c.encode(f.bytes, ev)
		f.ends[i] = len(f.bytes)
	}
}

// separate encodes each event into a frame.
func (f *form) separate(c *Conn, events []Event) {
	f.frames = make([][]byte, len(events))
	for i, ev := range events {
		f.frames[i] = c.encode(nil, ev)
	}
}

// encode appends an event of a broadcast. If the Encoder panics, encode appends a gap in
// place of the message. Closing the connections would not help: they would all recover
// the same message.
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

// cut returns the event before which n bytes end, or in which they end.
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
