package history

import (
	"slices"
	"testing"
)

func pushed(n, most int) *ring[int] {
	r := new(ring[int])
	for i := range n {
		r.push(i, most)
	}
	return r
}

func (r *ring[T]) all() (vs []T) {
	for i := range r.n {
		vs = append(vs, *r.at(i))
	}
	return vs
}

func TestRingGrowsBeyondMostIfItMust(t *testing.T) {
	t.Parallel()
	if got := pushed(5, 3).all(); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("got %v", got)
	}
}

func TestRingShrinks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ full, drop, want int }{
		{16, 11, 16}, // five are more than a quarter
		{16, 12, 8},  // four are a quarter
		{16, 14, 4},
		{16, 15, smallest},
		{4, 3, smallest},
		{16, 16, 0},
		{16, 17, 0},
	} {
		r := pushed(tt.full, tt.full)
		r.drop(tt.drop)
		var want []int
		for i := tt.drop; i < tt.full; i++ {
			want = append(want, i)
		}
		if got := r.all(); len(r.buf) != tt.want || !slices.Equal(got, want) {
			t.Errorf("%d of %d dropped: %v in a buffer of %d, want %d", tt.drop, tt.full, got, len(r.buf), tt.want)
		}
	}
}

func TestRingStaysInItsBuffer(t *testing.T) {
	t.Parallel()
	r := pushed(8, 8)
	before := &r.buf[0]
	r.drop(2)
	r.push(8, 8)
	r.push(9, 8)
	if &r.buf[0] != before {
		t.Error("the buffer was copied, although its size stays")
	}
	if got := r.all(); !slices.Equal(got, []int{2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("got %v", got)
	}
}

// Readers that miss nothing cost no allocation.
func TestNothingIsNil(t *testing.T) {
	t.Parallel()
	l := filled(3, Bounds{Size: 5})
	if got := l.Newest(0); got != nil {
		t.Errorf("got %#v", got)
	}
	if got, _ := l.Since(Position{"a", 3, 3}, 9); got != nil {
		t.Errorf("got %#v", got)
	}
}

func TestNameOfTheFirstUnknownOutcome(t *testing.T) {
	t.Parallel()
	if got := Outcome(len(outcomeNames)).String(); got != "outcome 6" {
		t.Errorf("got %q", got)
	}
}
