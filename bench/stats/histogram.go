// Package stats holds the arithmetic of the load generator: quantiles of latencies,
// medians of rounds and their intervals.
package stats

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	subBits = 5 // 32 buckets for each power of two: a value is known to 3 %
	buckets = (64 - subBits + 1) << subBits
)

// Histogram counts durations. All methods may be called at the same time.
type Histogram struct {
	counts [buckets]atomic.Uint32
}

// Add counts one duration. A negative one counts as 0.
func (h *Histogram) Add(d time.Duration) { h.counts[bucket(uint64(max(d, 0)))].Add(1) }

// Reset drops everything that was counted.
func (h *Histogram) Reset() {
	for i := range h.counts {
		h.counts[i].Store(0)
	}
}

// Quantile returns the duration that a share q of all durations does not exceed. It
// returns 0 if nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	var total uint64
	for i := range h.counts {
		total += uint64(h.counts[i].Load())
	}
	rank := uint64(math.Ceil(q * float64(total)))
	var seen uint64
	for i := range h.counts {
		if seen += uint64(h.counts[i].Load()); seen >= rank && seen > 0 {
			return time.Duration(upper(i))
		}
	}
	return 0
}

// bucket returns the index of the bucket of v. Values below 64 have a bucket each.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// upper returns the largest value of a bucket.
func upper(i int) uint64 {
	shift := max(i>>subBits-1, 0)
	return (uint64(i-shift<<subBits)+1)<<shift - 1
}
