package document

import (
	"container/list"
	"time"
)

// cacheIdle and cacheBytes bound the documents that the cache keeps while no goroutine uses
// them. They can be read from the store again.
const (
	cacheIdle  = 5 * time.Minute
	cacheBytes = 64 << 20
)

// cached are the fields of a document that the cache uses.
type cached struct {
	users int
	used  time.Time
	bytes int           // its weight in cache.bytes
	place *list.Element // in idle; nil while it is in use
}

// cache holds the documents in use, and of the others those used last. The zero cache is
// empty. Its owner locks it.
type cache struct {
	docs     map[string]*doc
	attached map[string]int
	idle     list.List // of *doc; the one used last is in front
	bytes    int       // of the idle ones
}

func (c *cache) attach(channel string) {
	if c.attached == nil {
		c.attached = make(map[string]int)
	}
	c.attached[channel]++
}

func (c *cache) detach(channel string) {
	switch n := c.attached[channel]; {
	case n > 1:
		c.attached[channel] = n - 1
	case n == 1:
		delete(c.attached, channel)
	}
}

func (c *cache) enter(channel string, create func() *doc) *doc {
	d := c.docs[channel]
	if d == nil {
		if c.docs == nil {
			c.docs = make(map[string]*doc)
		}
		d = create()
		c.docs[channel] = d
	}
	if d.users++; d.place != nil {
		c.idle.Remove(d.place)
		c.bytes -= d.bytes
		d.place = nil
	}
	return d
}

// leave ends a use that enter started. The caller no longer has the turn.
func (c *cache) leave(d *doc, now time.Time) {
	if d.users--; d.users > 0 || c.docs[d.channel] != d {
		return
	}
	d.used, d.bytes = now, d.weight()
	d.place = c.idle.PushFront(d)
	c.bytes += d.bytes
	for last := c.idle.Back(); last != nil; last = c.idle.Back() {
		old := last.Value.(*doc)
		// An attached document does not age: it may be read while the store cannot be
		// reached.
		if c.bytes <= cacheBytes && (now.Sub(old.used) < cacheIdle || c.attached[old.channel] > 0) {
			return
		}
		c.idle.Remove(last)
		c.bytes -= old.bytes
		delete(c.docs, old.channel)
	}
}

// weight estimates the memory of a document. A parsed value may take fifty times the size of
// its text.
func (d *doc) weight() int {
	return 1<<10 + d.state.Tree.cost.memory() + len(d.written) + d.state.bytes
}
