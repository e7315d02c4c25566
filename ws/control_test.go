package ws

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/window"
)

func TestFlood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		every time.Duration
		want  int // frames until it is too many; 0 for never
	}{
		{"burst", 0, 21},
		{"three a second", time.Second / 3, 21},
		{"two a second", time.Second / 2, 0},
		{"as browsers do", 30 * time.Second, 0},
	} {
		var c window.Counter
		now, got := time.Now(), 0
		for i := 1; i <= 1000 && got == 0; i++ {
			if c.Add(now, controlWindow) > maxControlFrames {
				got = i
			}
			now = now.Add(tt.every)
		}
		if got != tt.want {
			t.Errorf("%s: stopped at %d, want %d", tt.name, got, tt.want)
		}
	}
}
