package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// Publishers look at the clock before they have the lock of the room, so that keys come
// with times that go back. Halving by these times went on for ever, with the lock held.
func TestReduceKeysWithTimesThatGoBack(t *testing.T) {
	t.Parallel()
	o := Options{Keys: 100, KeyBytes: 100 * kib, KeyWindow: time.Hour}
	for _, times := range [][]time.Duration{{12, 10}, {10, 12, 11}, {5, 5, 5}, {0}, {3, 2, 1}} {
		for left := range int64(3) {
			var k keys
			for i, at := range times {
				k.add(at, fmt.Sprint("key", i), hub.Position{}, 0, o)
			}
			k.reduce(left * (keyBytes + 4))
			if k.size() > left*(keyBytes+4) {
				t.Errorf("keys of %v: %d bytes are left", times, k.size())
			}
		}
	}
}
