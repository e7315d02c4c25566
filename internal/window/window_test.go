package window_test

import (
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/internal/leak"
	"github.com/caddy-realtime/caddy-realtime/internal/window"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestCounter(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var c window.Counter
	for _, event := range []struct {
		at   time.Duration
		want int
	}{
		{0, 1},
		{0, 2},
		{9 * time.Second, 3},
		{10 * time.Second, 1}, // the window starts with the first event, not with the last one
		{19 * time.Second, 2},
		{time.Hour, 1},
		{time.Hour + 10*time.Second - 1, 2},
	} {
		if got := c.Add(start.Add(event.at), 10*time.Second); got != event.want {
			t.Errorf("after %v: %d events, want %d", event.at, got, event.want)
		}
	}
}
