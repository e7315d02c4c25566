package history

import (
	"math"
	"testing"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	full := Extent{Top: Position{"a", 10, 0xaa}, First: 6}
	empty := Extent{Top: Position{"a", 10, 0xaa}, First: 11}
	young := Extent{Top: Position{"a", 0, 0}, First: 1}
	tests := []struct {
		name   string
		extent Extent
		since  Position
		anchor uint32
		limit  int
		want   Outcome
	}{
		{"at the top", full, Position{"a", 10, 0xaa}, 0xaa, 100, AllThere},
		{"at the top, no limit needed", full, Position{"a", 10, 0xaa}, 0xaa, 0, AllThere},
		{"limit is exact", full, Position{"a", 7, 1}, 1, 3, AllThere},
		{"limit is one short", full, Position{"a", 7, 1}, 1, 2, More},
		{"limit zero", full, Position{"a", 9, 1}, 1, 0, More},
		{"limit negative", full, Position{"a", 9, 1}, 1, -1, More},
		{"oldest is next", full, Position{"a", 5, 1}, 1, 100, AllThere},
		{"oldest is next, its anchor differs", full, Position{"a", 5, 1}, 2, 100, AnchorDiffers},
		{"one trimmed", full, Position{"a", 4, 1}, 0, 100, Trimmed},
		{"from the beginning, trimmed", full, Position{"a", 0, 0}, 0, 100, Trimmed},
		{"everything expired, at the top", empty, Position{"a", 10, 0xaa}, 0xaa, 100, AllThere},
		{"everything expired, one behind", empty, Position{"a", 9, 0}, 0, 100, Trimmed},
		{"nothing ever written", young, Position{"a", 0, 0}, 0, 100, AllThere},
		{"other epoch", full, Position{"b", 10, 0xaa}, 0xaa, 100, OtherEpoch},
		{"other epoch wins over ahead", full, Position{"b", 99, 0}, 0, 100, OtherEpoch},
		{"no position", full, Position{}, 0, 100, OtherEpoch},
		{"ahead by one", full, Position{"a", 11, 0}, 0, 100, AheadOfTop},
		{"ahead by all", full, Position{"a", math.MaxUint64, 0}, 0, 100, AheadOfTop},
		{"anchor differs", full, Position{"a", 7, 1}, 2, 100, AnchorDiffers},
		{"anchor differs at the top", full, Position{"a", 10, 1}, 0xaa, 100, AnchorDiffers},
		{"reader knows no anchor", full, Position{"a", 7, 0}, 2, 100, AllThere},
		{"log knows no anchor", full, Position{"a", 7, 1}, 0, 100, AllThere},
		{"greatest limit", full, Position{"a", 5, 0}, 0, math.MaxInt, AllThere},
	}
	for _, tt := range tests {
		if got := tt.extent.Decide(tt.since, tt.anchor, tt.limit); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for o, lost := range map[Outcome]bool{AllThere: false, More: false, Trimmed: true, OtherEpoch: true, AheadOfTop: true, AnchorDiffers: true} {
		if o.Lost() != lost {
			t.Errorf("%v: lost is %v", o, !lost)
		}
	}
	if got := AnchorDiffers.String(); got != "anchor differs" {
		t.Errorf("name %q", got)
	}
	if got := Outcome(99).String(); got != "outcome 99" {
		t.Errorf("name of an unknown outcome %q", got)
	}
}
