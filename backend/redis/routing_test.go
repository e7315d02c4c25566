package redis

import (
	"fmt"
	"testing"
)

// Every shard has its share of the channels, and an additional shard takes only its own.
func TestJump(t *testing.T) {
	t.Parallel()
	const channels = 10_000
	for _, n := range []int{1, 2, 3, 16, 64} {
		count, moved := make([]int, n+1), 0
		for i := range channels {
			channel := fmt.Sprint("room:", i)
			at, then := jumpHash(channel, n), jumpHash(channel, n+1)
			count[at]++
			if then != at {
				moved++
				if then != n {
					t.Fatalf("%s moves from %d to %d of %d", channel, at, then, n+1)
				}
			}
		}
		fair := channels / n
		for shard, got := range count[:n] {
			if got < fair*6/10 || got > fair*14/10 {
				t.Errorf("shard %d of %d has %d of %d channels", shard, n, got, channels)
			}
		}
		if moved > 2*channels/(n+1) {
			t.Errorf("%d of %d channels move to the shard after %d", moved, channels, n)
		}
	}
	// All nodes of all versions must compute the same.
	for channel, want := range map[string]int{"": 13, "chat:1": 15, "a": 12} {
		if got := jumpHash(channel, 16); got != want {
			t.Errorf("%q is in shard %d, want %d", channel, got, want)
		}
	}
}
