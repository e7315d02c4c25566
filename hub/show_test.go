package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// change is a Numbered event.
type change uint64

func (n change) Number() uint64 { return uint64(n) }

// A connection gets no change before the state is shown, and none that was in the state, in
// whichever order the two come. Others get all changes.
func TestShow(t *testing.T) {
	for name, make := range transports() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newTestHub(t, Settings{})
				tr1, w1 := make()
				tr2, w2 := make()
				c := connect(t, h, tr1)
				subscribe(t, h, connect(t, h, tr2), "r", SubscribeOptions{})
				subscribe(t, h, c, "r", SubscribeOptions{Unshown: true, Reply: func(Subscribed) []Event {
					h.Announce("r", change(1)) // held back, and then let go by
					return []Event{"subscribed"}
				}})
				synctest.Wait()
				h.Announce("r", change(2))
				synctest.Wait()
				h.Show(c, "r", 3, "the state with 3", "more")
				for n := change(3); n <= 5; n++ {
					h.Announce("r", n)
				}
				publish(t, h, "r", "a")
				synctest.Wait()
				h.Show(c, "r", 6, "the state with 6")
				h.Announce("r", change(6))
				h.Announce("r", change(7))
				expect(t, w1, "subscribed", "the state with 3", "more", "change 4", "change 5", "r@0 a", "the state with 6", "change 7")
				expect(t, w2, "change 1", "change 2", "change 3", "change 4", "change 5", "r@0 a", "change 6", "change 7")
			})
		})
	}
}

// Nothing is remembered of a room that the connection has left.
func TestShowElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTestHub(t, Settings{})
		w := newWire()
		c := connect(t, h, w)
		h.Show(c, "r", 3, "shown")
		subscribe(t, h, c, "r", SubscribeOptions{})
		h.Announce("r", change(1))
		expect(t, w, "shown", fmt.Sprint("change ", 1))
	})
}
