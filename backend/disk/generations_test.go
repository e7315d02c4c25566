package disk

import (
	"fmt"
	"testing"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

// The end of a room is no gap for the clients of empty rooms, now and after a restart. The room itself has
// never an epoch twice.
func TestEndOfARoomConcernsNoOther(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s, b := open(t, o)
	const empty = 200
	was := make(map[string]hub.Position)
	for i := range empty {
		if channel := fmt.Sprint("empty", i); slotOf(channel) != slotOf("ended") {
			was[channel] = page(t, b, channel, nil).Top
		}
	}
	epochs := make(map[string]bool)
	end := func() {
		at := publish(t, b, "ended", `"x"`, "", hundred).Position
		if epochs[at.Epoch] {
			t.Errorf("the epoch %s comes again", at.Epoch)
		}
		epochs[at.Epoch] = true
		publish(t, b, "ended", `"unplaced"`, "", hub.Retention{})
		if p := page(t, b, "ended", &at); !p.Lost || epochs[p.Top.Epoch] {
			t.Errorf("after the end of %v: %+v", at, p)
		}
	}
	for range 3 {
		end()
		end()
		for channel, at := range was {
			if p := page(t, b, channel, &at); p.Lost || p.Top != at {
				t.Fatalf("%s has moved from %v to %v", channel, at, p.Top)
			}
		}
		b.Memory().Resize(1) // nothing is left in memory
		b.Memory().Resize(0)
		shut(t, s, b)
		s, b = open(t, o)
	}
}
