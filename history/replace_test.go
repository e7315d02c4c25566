package history

import (
	"slices"
	"testing"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	for offset := range uint64(12) {
		l := filled(10, Bounds{Size: 5}) // 6 … 10 are kept
		l.Append(start, Entry[int]{Value: 11, Anchor: 11, Cost: 10}, Bounds{Size: 5})
		done := l.Replace(offset, func(old int) Entry[int] {
			if old != int(offset) {
				t.Errorf("%d is at %d", old, offset)
			}
			return Entry[int]{Value: -old, Anchor: 99, Cost: 3}
		})
		kept := offset >= 7 && offset <= 11
		want, bytes := []int{7, 8, 9, 10, 11}, 50
		if kept {
			want[offset-7], bytes = -int(offset), 43
		}
		if done != kept || l.Bytes() != bytes || !slices.Equal(l.Newest(9), want) {
			t.Errorf("%d: %v, %v of %d bytes, want %v of %d", offset, done, l.Newest(9), l.Bytes(), want, bytes)
		}
		if kept {
			if _, o := l.Since(Position{"a", offset, uint32(offset)}, 9); o != AllThere {
				t.Errorf("a reader at %d: %v", offset, o)
			}
		}
		if l.Reduce(0); l.Bytes() != 0 { // what the entry costs now is freed with it
			t.Errorf("%d bytes are left", l.Bytes())
		}
	}
}

func TestReplaceWithLess(t *testing.T) {
	t.Parallel()
	l := filled(2, Bounds{Size: 5})
	l.Replace(1, func(int) Entry[int] { return Entry[int]{Cost: 25} })
	l.Replace(2, func(int) Entry[int] { return Entry[int]{Cost: 1} })
	if l.Bytes() != 26 {
		t.Errorf("%d bytes", l.Bytes())
	}
	if l.Reduce(25); l.Len() != 1 || l.Bytes() != 1 {
		t.Errorf("%d entries of %d bytes", l.Len(), l.Bytes())
	}
}

func TestReplaceInEmptyLog(t *testing.T) {
	t.Parallel()
	l := New[int](Position{"a", 5, 5}, start)
	for offset := range uint64(8) {
		if l.Replace(offset, func(int) Entry[int] { t.Errorf("there is something at %d", offset); return Entry[int]{} }) {
			t.Errorf("%d was replaced", offset)
		}
	}
}
