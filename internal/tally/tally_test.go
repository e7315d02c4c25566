package tally

import (
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	h := NewHistogram(time.Millisecond, time.Second)
	h.Observe(-time.Hour, 1)
	h.Observe(time.Millisecond, 2) // a bound belongs to the count below it
	h.Observe(time.Millisecond+1, 3)
	h.Observe(time.Minute, 4)
	var d Durations
	h.AddTo(&d)
	h.AddTo(&d)
	if want := []uint64{6, 6, 8}; !slices.Equal(d.Counts, want) {
		t.Errorf("counts %v, want %v", d.Counts, want)
	}
	if want := 2 * (5*time.Millisecond + 3 + 4*time.Minute); d.Sum != want {
		t.Errorf("sum %v, want %v", d.Sum, want)
	}
	if d.Count() != 20 {
		t.Errorf("count %d, want 20", d.Count())
	}
}

func TestVector(t *testing.T) {
	var v Vector[string]
	done := make(chan struct{})
	for range 4 {
		go func() {
			for range 1000 {
				v.Add("a", 1)
				v.Add("b", 2)
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	if c := v.Counts(); c["a"] != 4000 || c["b"] != 8000 || len(c) != 2 {
		t.Errorf("%v", c)
	}
}
