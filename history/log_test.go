package history

import (
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func filled(n int, b Bounds) *Log[int] {
	l := New[int](Position{Epoch: "a"}, start)
	for i := 1; i <= n; i++ {
		l.Append(start, Entry[int]{Value: i, Anchor: uint32(i), Cost: 10}, b)
	}
	return l
}

func TestAppendCountsFromOne(t *testing.T) {
	t.Parallel()
	l := New[string](Position{Epoch: "a"}, start)
	if got := l.Top(); got != (Position{Epoch: "a"}) {
		t.Errorf("a new log is at %v", got)
	}
	for i := range uint64(5) {
		want := Position{"a", i + 1, uint32(i + 100)}
		if got := l.Append(start, Entry[string]{Value: "x", Anchor: want.Anchor}, Bounds{Size: 2}); got != want || l.Top() != want {
			t.Errorf("append: %v, top %v, want %v", got, l.Top(), want)
		}
	}
	if l.Len() != 2 || l.Extent().First != 4 {
		t.Errorf("%d kept from %d", l.Len(), l.Extent().First)
	}
}

func TestLogGoesOnAfterPosition(t *testing.T) {
	t.Parallel()
	l := New[int](Position{"a", 41, 7}, start)
	if vs, o := l.Since(Position{"a", 41, 7}, 10); o != AllThere || len(vs) != 0 {
		t.Errorf("at the beginning: %v %v", vs, o)
	}
	if _, o := l.Since(Position{"a", 41, 8}, 10); o != AnchorDiffers {
		t.Errorf("with another anchor: %v", o)
	}
	if got := l.Append(start, Entry[int]{Value: 1, Anchor: 9}, Bounds{Size: 5}); got != (Position{"a", 42, 9}) {
		t.Errorf("first append at %v", got)
	}
	if _, o := l.Since(Position{"a", 40, 0}, 10); o != Trimmed {
		t.Errorf("before the beginning: %v", o)
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	l := filled(10, Bounds{Size: 5}) // 6 … 10 are kept
	tests := []struct {
		name  string
		since Position
		limit int
		want  []int
		out   Outcome
	}{
		{"all", Position{"a", 5, 5}, 10, []int{6, 7, 8, 9, 10}, AllThere},
		{"some", Position{"a", 8, 8}, 10, []int{9, 10}, AllThere},
		{"none", Position{"a", 10, 10}, 10, nil, AllThere},
		{"more", Position{"a", 6, 6}, 2, []int{7, 8}, More},
		{"position alone", Position{"a", 6, 6}, 0, nil, More},
		{"trimmed", Position{"a", 4, 4}, 3, []int{6, 7, 8}, Trimmed},
		{"other epoch", Position{"b", 8, 8}, 10, []int{6, 7, 8, 9, 10}, OtherEpoch},
		{"ahead", Position{"a", 11, 0}, 2, []int{6, 7}, AheadOfTop},
		{"rewritten", Position{"a", 8, 9}, 1, []int{6}, AnchorDiffers},
		{"rewritten before the oldest", Position{"a", 5, 9}, 1, []int{6}, AnchorDiffers},
		{"no limit", Position{"a", 0, 0}, -1, nil, Trimmed},
	}
	for _, tt := range tests {
		got, out := l.Since(tt.since, tt.limit)
		if out != tt.out || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v %v, want %v %v", tt.name, got, out, tt.want, tt.out)
		}
	}
}

func TestNewest(t *testing.T) {
	t.Parallel()
	l := filled(10, Bounds{Size: 5})
	for limit, want := range map[int][]int{-1: nil, 0: nil, 2: {9, 10}, 5: {6, 7, 8, 9, 10}, 99: {6, 7, 8, 9, 10}} {
		if got := l.Newest(limit); !slices.Equal(got, want) {
			t.Errorf("newest %d: %v, want %v", limit, got, want)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	b := Bounds{Size: 10, TTL: time.Minute}
	l := New[int](Position{Epoch: "a"}, start)
	for i := 1; i <= 3; i++ {
		l.Append(start.Add(time.Duration(i)*time.Second), Entry[int]{Value: i, Anchor: uint32(i), Cost: 5}, b)
	}
	l.Trim(start.Add(time.Minute+time.Second-1), b)
	if l.Len() != 3 {
		t.Errorf("%d kept before the first expires", l.Len())
	}
	l.Trim(start.Add(time.Minute+2*time.Second), b)
	if got := l.Newest(9); !slices.Equal(got, []int{3}) || l.Bytes() != 5 {
		t.Errorf("%v (%d bytes) kept after two expired", got, l.Bytes())
	}
	l.Trim(start.Add(time.Hour), b)
	if l.Len() != 0 || l.Top() != (Position{"a", 3, 3}) {
		t.Errorf("%d kept at %v after all expired", l.Len(), l.Top())
	}
	if _, o := l.Since(Position{"a", 3, 3}, 1); o != AllThere {
		t.Errorf("a reader at the top of an expired log: %v", o)
	}
	if _, o := l.Since(Position{"a", 3, 4}, 1); o != AnchorDiffers {
		t.Errorf("a reader of another log at the top of an expired one: %v", o)
	}
}

// A clock set back must neither keep entries for ever nor drop young ones.
func TestClockGoesBackwards(t *testing.T) {
	t.Parallel()
	b := Bounds{Size: 10, TTL: time.Minute}
	l := New[int](Position{Epoch: "a"}, start)
	l.Append(start.Add(50*time.Second), Entry[int]{Value: 1}, b)
	l.Append(start.Add(-time.Hour), Entry[int]{Value: 2}, b)
	l.Trim(start.Add(100*time.Second), b)
	if l.Len() != 2 {
		t.Errorf("%d kept within the TTL", l.Len())
	}
	l.Trim(start.Add(110*time.Second), b)
	if l.Len() != 0 {
		t.Errorf("%d kept after the TTL", l.Len())
	}
}

func TestSizeZeroKeepsNothing(t *testing.T) {
	t.Parallel()
	l := filled(3, Bounds{Size: 5})
	if got := l.Append(start, Entry[int]{Value: 4, Anchor: 4}, Bounds{}); got.Offset != 4 || l.Len() != 0 || l.Bytes() != 0 {
		t.Errorf("at %v with %d entries, %d bytes", got, l.Len(), l.Bytes())
	}
	if _, o := l.Since(Position{"a", 3, 3}, 9); o != Trimmed {
		t.Errorf("a reader who lacks the unkept entry: %v", o)
	}
	if _, o := l.Since(Position{"a", 4, 4}, 9); o != AllThere {
		t.Errorf("a reader who has it: %v", o)
	}
}

func TestReduce(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int]int{1000: 10, 100: 10, 99: 9, 95: 9, 50: 5, 9: 0, 0: 0, -5: 0} {
		l := filled(10, Bounds{Size: 10})
		if l.Reduce(bytes); l.Len() != want || l.Bytes() != want*10 {
			t.Errorf("reduced to %d: %d entries of %d bytes, want %d entries", bytes, l.Len(), l.Bytes(), want)
		}
	}
}

func TestCostIsNeverNegative(t *testing.T) {
	t.Parallel()
	l := New[int](Position{Epoch: "a"}, start)
	l.Append(start, Entry[int]{Cost: -5}, Bounds{Size: 1})
	if l.Bytes() != 0 {
		t.Errorf("%d bytes", l.Bytes())
	}
}

func TestEmptyLogHasNoBuffer(t *testing.T) {
	t.Parallel()
	big := Bounds{Size: 1 << 30, TTL: time.Hour}
	l := filled(1, big)
	if got := cap(l.slots.buf); got != smallest {
		t.Errorf("one entry in a buffer of %d", got)
	}
	l.Trim(start.Add(2*time.Hour), big)
	if l.slots.buf != nil {
		t.Error("the buffer outlives the last entry")
	}
}

func TestBufferFollowsContent(t *testing.T) {
	t.Parallel()
	l := filled(1000, Bounds{Size: 100})
	if got := len(l.slots.buf); got != 100 {
		t.Errorf("buffer of %d for 100 entries", got)
	}
	l = filled(1000, Bounds{Size: 5000})
	l.Trim(start, Bounds{Size: 10})
	if got := len(l.slots.buf); got > slack*10 {
		t.Errorf("buffer of %d for 10 entries", got)
	}
	if got := l.Newest(3); !slices.Equal(got, []int{998, 999, 1000}) {
		t.Errorf("after shrinking: %v", got)
	}
}

func TestDroppedEntriesAreFreed(t *testing.T) {
	t.Parallel()
	l := New[*[1 << 12]byte](Position{Epoch: "a"}, start)
	var dropped []weak.Pointer[[1 << 12]byte]
	for range 20 {
		v := new([1 << 12]byte)
		dropped = append(dropped, weak.Make(v))
		l.Append(start, Entry[*[1 << 12]byte]{Value: v}, Bounds{Size: 8})
	}
	l.Trim(start, Bounds{Size: 3})
	runtime.GC()
	for i, w := range dropped {
		if kept := i >= 17; (w.Value() != nil) != kept {
			t.Errorf("entry %d: kept %v, want %v", i, !kept, kept)
		}
	}
	runtime.KeepAlive(l)
}

// The log against the simplest thing that could be meant: a slice.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	type entry struct {
		offset uint64
		at     time.Time
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		l, now, b := New[uint64](Position{Epoch: "a"}, start), start, Bounds{Size: 8, TTL: time.Minute}
		var model []entry
		for top := uint64(0); top < 400; {
			now = now.Add(time.Duration(r.IntN(8)) * time.Second)
			switch r.IntN(10) {
			case 0:
				b = Bounds{Size: 1 + r.IntN(40), TTL: time.Duration(r.IntN(3)) * 40 * time.Second}
			case 1:
				now = now.Add(time.Minute)
			default:
				top++
				l.Append(now, Entry[uint64]{Value: top, Anchor: uint32(top), Cost: 1}, b)
				model = append(model, entry{top, now})
			}
			l.Trim(now, b)
			model = model[max(0, len(model)-b.Size):]
			for b.TTL > 0 && len(model) > 0 && now.Sub(model[0].at) >= b.TTL {
				model = model[1:]
			}
			var want []uint64
			for _, e := range model {
				want = append(want, e.offset)
			}
			if got := l.Newest(1000); !slices.Equal(got, want) || l.Bytes() != len(want) {
				t.Fatalf("seed %d, top %d: %v (%d bytes), want %v", seed, top, got, l.Bytes(), want)
			}
			if len(want) == 0 {
				continue
			}
			if got, o := l.Since(Position{"a", want[0] - 1, uint32(want[0] - 1)}, 1000); o != AllThere || !slices.Equal(got, want) {
				t.Fatalf("seed %d, top %d: since the oldest: %v %v, want %v", seed, top, got, o, want)
			}
			if cap(l.slots.buf) > max(smallest, slack*len(want)) {
				t.Fatalf("seed %d: buffer of %d for %d", seed, cap(l.slots.buf), len(want))
			}
		}
	}
}

func TestNewEpoch(t *testing.T) {
	t.Parallel()
	form, seen := regexp.MustCompile(`^[a-z0-9]{8}$`), map[string]bool{}
	for range 1000 {
		e := NewEpoch()
		if !form.MatchString(e) || seen[e] {
			t.Fatalf("epoch %q", e)
		}
		seen[e] = true
	}
}
