package tally

import (
	"sync/atomic"
	"time"
)

// Histogram counts durations by their length. Several goroutines may use it at once.
type Histogram struct {
	bounds []time.Duration // rising; static
	counts []atomic.Uint64 // one more than bounds: the last one is for longer durations
	sum    atomic.Int64    // nanoseconds
}

// NewHistogram returns a histogram whose counts end at the bounds, which must rise.
func NewHistogram(bounds ...time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a duration n times. A negative duration counts as 0: clocks of several
// nodes may differ.
func (h *Histogram) Observe(d time.Duration, n uint64) {
	d = max(d, 0)
	at := 0
	for at < len(h.bounds) && d > h.bounds[at] {
		at++
	}
	h.counts[at].Add(n)
	h.sum.Add(int64(d) * int64(n))
}

// Durations are the counts of histograms at one moment.
type Durations struct {
	// Bounds are the greatest durations of all counts but the last.
	Bounds []time.Duration
	// Counts are not cumulative.
	Counts []uint64
	Sum    time.Duration
}

// AddTo adds the counts of h to d. All histograms that are added to one d have the same
// bounds.
func (h *Histogram) AddTo(d *Durations) {
	if d.Counts == nil {
		d.Bounds, d.Counts = h.bounds, make([]uint64, len(h.counts))
	}
	// The sum is read first: a reader may miss it for a duration whose count it has, but
	// never the other way round.
	d.Sum += time.Duration(h.sum.Load())
	for i := range h.counts {
		d.Counts[i] += h.counts[i].Load()
	}
}

// Count returns how many durations were counted.
func (d Durations) Count() (n uint64) {
	for _, c := range d.Counts {
		n += c
	}
	return n
}
