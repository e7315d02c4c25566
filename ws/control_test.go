package ws

import (
	"testing"
	"time"
)

func TestFlood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		every time.Duration
		want  int // frames until it is too many; 0 for never
	}{
		{"burst", 0, 21},
		{"three a second", time.Second / 3, 21},
		{"two a second", time.Second / 2, 0},
		{"as browsers do", 30 * time.Second, 0},
	} {
		var f flood
		now, got := time.Now(), 0
		for i := 1; i <= 1000 && got == 0; i++ {
			if f.add(now, maxControlFrames) {
				got = i
			}
			now = now.Add(c.every)
		}
		if got != c.want {
			t.Errorf("%s: stopped at %d, want %d", c.name, got, c.want)
		}
	}
}
