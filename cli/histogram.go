package cli

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	// perOctave is how many classes a doubling has: a quantile is at most 9 % too large.
	perOctave = 8
	classes   = 40 * perOctave // up to 2^40 µs, which is twelve days
	plotWidth = 40
)

// histogram counts durations in classes that grow, so that it takes the same memory for any
// number of them. It is not safe for concurrent use.
type histogram struct {
	counts [classes]int
	total  int
	most   time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.counts[class(d)]++
	h.total++
	h.most = max(h.most, d)
}

// merge adds what another histogram has counted.
func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
	h.most = max(h.most, o.most)
}

func class(d time.Duration) int {
	if d <= time.Microsecond {
		return 0
	}
	c := math.Ceil(math.Log2(float64(d)/float64(time.Microsecond)) * perOctave)
	return min(int(c), classes-1)
}

// top is the largest duration of a class.
func top(class int) time.Duration {
	return time.Duration(math.Exp2(float64(class)/perOctave) * float64(time.Microsecond))
}

// quantile returns the duration that a share q of all does not exceed; 0 without any.
func (h *histogram) quantile(q float64) time.Duration {
	want, seen := int(math.Ceil(q*float64(h.total))), 0
	for i, n := range h.counts {
		if seen += n; seen >= want && n > 0 {
			return min(top(i), h.most)
		}
	}
	return 0
}

// summary is a line with the quantiles that people look at.
func (h *histogram) summary() string {
	return fmt.Sprintf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s",
		short(h.quantile(.5)), short(h.quantile(.9)), short(h.quantile(.99)), short(h.quantile(.999)), short(h.most))
}

// plot draws a bar for each doubling between the smallest and the largest.
func (h *histogram) plot(out *printer) {
	var octaves [classes/perOctave + 1]int
	first, last, most := -1, 0, 0
	for i, n := range h.counts {
		if n == 0 {
			continue
		}
		o := (i + perOctave - 1) / perOctave
		octaves[o] += n
		most = max(most, octaves[o])
		if first < 0 {
			first = o
		}
		last = o
	}
	if first < 0 {
		return
	}
	for o := first; o <= last; o++ {
		out.line("  up to %8s  %-*s %d", short(top(o*perOctave)), plotWidth, strings.Repeat("#", (octaves[o]*plotWidth+most-1)/most), octaves[o])
	}
}

// short writes a duration with three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(10 * time.Millisecond).String()
	}
}
