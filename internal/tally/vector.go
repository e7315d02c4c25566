package tally

import (
	"sync"
	"sync/atomic"
)

// Vector is a set of counters by a key. The caller bounds the number of keys: it uses words
// of its own, never those of a client. Several goroutines may use it at once. The zero Vector
// is empty.
type Vector[K comparable] struct {
	counters sync.Map // K -> *atomic.Uint64
}

// Add adds n to the counter of k.
func (v *Vector[K]) Add(k K, n uint64) {
	c, ok := v.counters.Load(k)
	if !ok {
		c, _ = v.counters.LoadOrStore(k, new(atomic.Uint64))
	}
	c.(*atomic.Uint64).Add(n)
}

// Counts returns the counters at this moment.
func (v *Vector[K]) Counts() map[K]uint64 {
	counts := make(map[K]uint64)
	v.counters.Range(func(k, c any) bool {
		counts[k.(K)] = c.(*atomic.Uint64).Load()
		return true
	})
	return counts
}
