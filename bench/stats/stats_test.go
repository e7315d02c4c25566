package stats

import (
	"math"
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	t.Parallel()
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	for i := 1; i <= 1000; i++ {
		h.Add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0: time.Millisecond, 0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.Quantile(q); got < want || float64(got) > 1.04*float64(want) {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	h.Reset()
	h.Add(-time.Second)
	if got := h.Quantile(1); got != 0 {
		t.Errorf("a negative duration counts as %v", got)
	}
}

func TestBucketsHaveNoGap(t *testing.T) {
	t.Parallel()
	for i := range buckets {
		if top := upper(i); bucket(top) != i || top < math.MaxUint64 && bucket(top+1) != i+1 {
			t.Fatalf("bucket %d ends at %d, which lies in %d", i, top, bucket(top))
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		figures []float64
		want    Summary
	}{
		{nil, Summary{}},
		{[]float64{3}, Summary{3, 3, 3, 0}},
		{[]float64{3, 1}, Summary{2, 1, 3, 0.5}},
		{[]float64{5, 1, 3, 2, 4}, Summary{3, 1, 5, 0.9375}},
		{[]float64{10, 1, 9, 2, 8, 3, 7, 4, 6, 5}, Summary{5.5, 2, 9, 1 - 22.0/1024}},
	} {
		if got := Summarize(test.figures); math.Abs(got.Coverage-test.want.Coverage) > 1e-9 || got.Median != test.want.Median ||
			got.Low != test.want.Low || got.High != test.want.High {
			t.Errorf("%v: %+v, want %+v", test.figures, got, test.want)
		}
	}
}
