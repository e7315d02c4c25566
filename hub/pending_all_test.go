package hub

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Many rooms together hold no more than maxAllPending and one message each, and all of
// them go on when their members take what they are sent.
func TestPendingOverAllRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, wide)
		const rooms, size = 2 * maxAllPending / maxPending, 64 << 10
		var held []gateWire
		accepted := make([]int, rooms)
		for i := range rooms {
			held = append(held, heldRoom(t, h, fmt.Sprint("h", i)))
		}
		content := kilobytes(64)
		for i := range rooms {
			for range maxPending / size {
				done := publishAsync(WithPatience(t.Context(), time.Millisecond), h, &Message{Channel: fmt.Sprint("h", i), Content: content})
				synctest.Wait()
				time.Sleep(time.Millisecond)
				if err := <-done; err == nil {
					accepted[i]++
				} else if !errors.Is(err, ErrCrowded) {
					t.Fatal(err)
				}
			}
		}
		s := h.Stats()
		if int64(s.Pending) != h.pending.Load() {
			t.Errorf("%d are pending, and %d counted", s.Pending, h.pending.Load())
		}
		if s.Pending < maxAllPending-2*size || s.Pending > maxAllPending+rooms*2*size || s.Rejected == 0 {
			t.Errorf("pending %d MiB, %d refused", s.Pending>>20, s.Rejected)
		}
		if accepted[rooms-1] == 0 {
			t.Error("a room with nothing to broadcast takes nothing")
		}
		for _, w := range held {
			close(w.gate)
		}
		synctest.Wait()
		if n := h.pending.Load(); n != 0 {
			t.Errorf("%d counted when nothing is pending", n)
		}
		for i, w := range held {
			if got := len(w.lines()); got < 1+accepted[i] {
				t.Errorf("room %d: %d messages were accepted and %d delivered", i, accepted[i], got-1)
			}
		}
	})
}

// What brokers deliver is bounded over all rooms as well.
func TestBrokersFloodAllRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, wide)
		const rooms = maxAllFlood/maxFlood + 8
		content := kilobytes(64)
		var held []gateWire
		for i := range rooms {
			held = append(held, heldRoom(t, h, fmt.Sprint("h", i)))
			for n := range uint64(maxFlood / (64 << 10)) {
				h.Broadcast(fmt.Sprint("h", i), &Message{Channel: fmt.Sprint("h", i), Content: content, Position: Position{Epoch: "e", Offset: n + 1}})
			}
		}
		if s := h.Stats(); s.Pending > maxAllFlood+rooms*(66<<10) || s.Dropped == 0 {
			t.Errorf("pending %d MiB, %d dropped", s.Pending>>20, s.Dropped)
		}
		for _, w := range held {
			close(w.gate)
		}
		synctest.Wait()
		if n := h.pending.Load(); n != 0 {
			t.Errorf("%d counted when nothing is pending", n)
		}
	})
}
