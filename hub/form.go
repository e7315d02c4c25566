package hub

import (
	"bytes"
	"slices"
)

// form is a batch in the bytes of one Encoder. All connections with that Encoder share them.
// The bytes are in a pooled buffer until a queue has to keep some of them. Most batches are
// written to all members at once, and then they cost no memory.
type form struct {
	encoder Encoder
	bytes   []byte
	ends    []int   // where each event ends in bytes; nil for a single event
	pooled  *[]byte // the buffer that bytes are in; nil if bytes are of their own
	// apart says that the events of bytes go to different members. A queue that gets some of
	// them must not keep the others in memory: it gets frames, which are made when needed.
	apart  bool
	frames [][]byte
}

// encode encodes the events of a batch.
func (f *form) encode(c *Conn, b *batch) {
	f.encoder, f.apart, f.pooled = c.encoder, b.selective, getBuffer()
	if f.bytes = *f.pooled; len(b.events) == 1 {
		f.bytes = c.encode(f.bytes, b.events[0])
		return
	}
	f.ends = make([]int, len(b.events))
	for i, ev := range b.events {
		f.bytes = c.encode(f.bytes, ev)
		f.ends[i] = len(f.bytes)
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
			if m, ok := ev.(*Message); ok && !m.unplaced() {
				out = c.encoder.AppendEvent(dst, Gap{m.Channel, m.Position})
			}
		}
	}()
	return c.encoder.AppendEvent(dst, ev)
}

// cut returns the event before which n bytes end, or in which they end.
func (f *form) cut(n int) (event int, in bool) {
	if f.ends != nil {
		event, _ = slices.BinarySearch(f.ends, n+1)
	}
	return event, n > f.start(event)
}

// keep returns the bytes of one event. They are never changed, so a queue may keep them.
func (f *form) keep(i int) []byte {
	switch {
	case f.apart && f.ends != nil:
		return f.frame(i)
	case f.pooled != nil:
		kept := bytes.Clone(f.bytes)
		f.release()
		f.bytes = kept
	}
	return f.event(i)
}

// keepFor is keep for a subscription that may get some of the events only.
func (f *form) keepFor(s *subscription, i int) []byte {
	if s.sieve != nil && f.ends != nil {
		return f.frame(i)
	}
	return f.keep(i)
}

// frame returns one event in bytes of its own.
func (f *form) frame(i int) []byte {
	if f.frames == nil {
		f.frames = make([][]byte, len(f.ends))
	}
	if f.frames[i] == nil {
		f.frames[i] = bytes.Clone(f.event(i))
	}
	return f.frames[i]
}

// event returns the bytes of one event. They may be changed once the batch is released.
func (f *form) event(i int) []byte { return f.bytes[f.start(i):f.end(i):f.end(i)] }

func (f *form) start(i int) int {
	if i == 0 {
		return 0
	}
	return f.ends[i-1]
}

func (f *form) end(i int) int {
	if f.ends == nil {
		return len(f.bytes)
	}
	return f.ends[i]
}

// release gives the pooled buffer back, also when bytes have outgrown it.
func (f *form) release() {
	if f.pooled != nil {
		*f.pooled = f.bytes
		putBuffer(f.pooled)
		f.pooled = nil
	}
}
