package filter

import (
	"container/list"
	"sync"
)

// maxCompiled bounds the filters that are remembered. A filter that is forgotten stays in use
// where it is; the next equal one is compiled again, and the two are evaluated separately.
const maxCompiled = 512

// cache remembers the filters that were used last.
type cache struct {
	mu    sync.Mutex
	known map[cacheKey]*list.Element // of *cached
	order list.List                  // the one that was used last comes first
}

type cacheKey struct {
	text string
	in   Scope
}

type cached struct {
	key    cacheKey
	filter *Filter
}

var compiled = cache{known: make(map[cacheKey]*list.Element)}

func (c *cache) find(text string, in Scope) *Filter {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.known[cacheKey{text, in}]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).filter
}

// add remembers a filter. If an equal one was added meanwhile, it returns that one.
func (c *cache) add(f *Filter, in Scope) *Filter {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{f.text, in}
	if e := c.known[key]; e != nil {
		return e.Value.(*cached).filter
	}
	c.known[key] = c.order.PushFront(&cached{key, f})
	if c.order.Len() > maxCompiled {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.known, last.Value.(*cached).key)
	}
	return f
}
