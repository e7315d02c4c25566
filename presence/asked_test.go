package presence

import (
	"errors"
	"sync/atomic"
	"testing"
)

// Snapshots of a room are made one after another. While that takes long, a connection
// that asks and asks has few of them waiting, and one that has left has none made.
func TestSnapshotsOnTheirWay(t *testing.T) {
	t.Parallel()
	inRoom(t, Options{}, func(t *testing.T, s *site, _ *watcher) {
		slow, greedy, gone := s.enter("r", "a", "1", Change{}, nil), s.enter("r", "b", "2", Change{}, nil), s.enter("r", "c", "3", Change{}, nil)
		pass(0)
		blocked, free := make(chan struct{}), make(chan struct{})
		go func() {
			_ = slow.Snapshot("", func(*Snapshot) { close(blocked); <-free })
		}()
		<-blocked
		var delivered atomic.Int32
		var refused int
		for range 1000 {
			if err := greedy.Snapshot("", func(*Snapshot) { delivered.Add(1) }); errors.Is(err, ErrBusy) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		_ = gone.Snapshot("", func(*Snapshot) { t.Error("delivered to a connection that had left") })
		gone.Leave()
		close(free)
		pass(0)
		if n := delivered.Load(); n != maxAsked || refused != 1000-maxAsked {
			t.Errorf("%d delivered, %d refused; want %d and %d", n, refused, maxAsked, 1000-maxAsked)
		}
		if err := greedy.Snapshot("", func(*Snapshot) { delivered.Add(1) }); err != nil {
			t.Errorf("after all were delivered: %v", err)
		}
	})
}
