package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// If the keys of the process before exceed their bound, the rooms with the oldest keys lose theirs, whatever the
// order of the rooms is.
func TestRestoredKeysGoOldestFirst(t *testing.T) {
	t.Parallel()
	const bound, rooms = 512 * kib, 1000
	b := start(t, Options{HistoryBytes: bound})
	now := time.Now()
	for i := range rooms {
		b.RestoreKey(name(i), fmt.Sprintf("%032d", i), hub.Position{}, 1, now.Add(time.Duration(i-rooms)*time.Millisecond))
	}
	publish(t, b, "another", 1, hub.PublishOptions{Key: "key"})
	if s := b.Stats(); s.Keys > bound/8 || s.Keys < bound/32 {
		t.Fatalf("%+v", s)
	}
	kept := false
	for i := range rooms {
		_, found, err := b.FindKey(name(i), fmt.Sprintf("%032d", i), 1)
		if err != nil || kept && !found {
			t.Fatalf("key %d is forgotten, and an older one is not: %v", i, err)
		}
		kept = found
	}
	if !kept {
		t.Error("the newest key is forgotten")
	}
}
