package presence

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRoster compares a roster with a map under random changes.
func TestRoster(t *testing.T) {
	t.Parallel()
	var r Roster
	model := make(map[string]*Member)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 30_000 {
		key := fmt.Sprintf("k%d", rnd.IntN(3000))
		// Phases in which it grows, and those in which it empties.
		if rnd.IntN(10) < 2+i/6000%2*6 {
			r.Delete(key)
			delete(model, key)
		} else {
			m := &Member{Key: key}
			r.Put(m)
			model[key] = m
		}
		if r.Get(key) != model[key] {
			t.Fatalf("%s: %v, want %v", key, r.Get(key), model[key])
		}
		if i%500 == 0 {
			compare(t, &r, model, fmt.Sprintf("k%d", rnd.IntN(3000)))
		}
	}
}

func compare(t *testing.T, r *Roster, model map[string]*Member, after string) {
	t.Helper()
	want := slices.Sorted(maps.Keys(model))
	expect(t, "all", keysOf(slices.Collect(r.All())), want...)
	i, there := slices.BinarySearch(want, after)
	if there {
		i++
	}
	page := want[i:min(i+700, len(want))]
	expect(t, "page behind "+after, keysOf(r.Page(after, 700)), page...)
	if r.Len() != len(want) {
		t.Errorf("%d members, want %d", r.Len(), len(want))
	}
}

func keysOf(ms []*Member) (keys []string) {
	for _, m := range ms {
		keys = append(keys, m.Key)
	}
	return keys
}

func TestRosterEdges(t *testing.T) {
	t.Parallel()
	var r Roster
	r.Delete("x")
	if r.Get("x") != nil || r.Page("", 5) != nil || r.Len() != 0 {
		t.Error("the zero roster is not empty")
	}
	r.Put(&Member{Key: "b"})
	r.Put(&Member{Key: "a"})
	expect(t, "limit", keysOf(r.Page("", 1)), "a")
	expect(t, "none", keysOf(r.Page("", 0)))
	expect(t, "behind the last", keysOf(r.Page("c", 9)))
	expect(t, "behind nothing", keysOf(r.Page("A", 9)), "a", "b")
	r.Delete("a")
	r.Delete("b")
	expect(t, "emptied", keysOf(r.Page("", 9)))
}
