package redis

import "testing"

func TestSilence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		heard  []uint64 // at each tick
		refuse bool     // Redis does not take the probe
		want   string   // what is done: asks, or gives it up as silent
	}{
		"something comes all the time": {heard: []uint64{1, 2, 3, 4, 5, 6, 7}, want: "......."},
		"nothing comes":                {heard: []uint64{1, 1, 1, 1, 1, 1, 1, 1, 1}, want: "....a...s"},
		"from the beginning":           {heard: []uint64{0, 0, 0, 0, 0, 0, 0, 0}, want: "...a...s"},
		"the probe comes":              {heard: []uint64{1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2}, want: "....a....a..."},
		"the probe comes late":         {heard: []uint64{1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, want: "....a.......a"},
		"Redis does not take it":       {heard: []uint64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, refuse: true, want: "....a...a...a"},
	} {
		var s silenceCounter
		got := ""
		for _, heard := range c.heard {
			switch ask, silent := s.tick(heard); {
			case silent:
				got += "s"
			case ask:
				got += "a"
				s.probed = !c.refuse
			default:
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
